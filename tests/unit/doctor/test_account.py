"""The checks of the account: credentials, region, what bootstrap made, and the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from unit.doctor.patient import FakeSession, only

from manuel_release import settings as settings_module
from manuel_release.aws import Call
from manuel_release.doctor import account
from manuel_release.errors import SettingsError
from manuel_release.model.check import Level


def bootstrap(patient):
    return {check.title: check for check in account.bootstrap(patient.app)}


def test_credentials_are_told_with_account_and_principal(patient) -> None:
    check = only(account.credentials(patient.app))

    assert check.level is Level.OK
    assert check.message == "ann of account 123456789012 (arn:aws:iam::123456789012:user/ann)"


@pytest.mark.parametrize(
    ("option", "variables", "source"),
    [
        ("eu-west-1", {"AWS_REGION": "eu-west-1"}, "--region"),
        (None, {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}, "AWS_REGION"),
        (None, {"AWS_DEFAULT_REGION": "eu-west-1"}, "AWS_DEFAULT_REGION"),
        (None, {}, "the settings"),
    ],
)
def test_the_region_is_told_with_who_named_it(patient, monkeypatch, option, variables, source) -> None:
    patient.options = replace(patient.options, region=option)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    check = only(account.region(patient.app))

    assert (check.level, check.message) == (Level.OK, f"eu-west-1, from {source}")


def test_another_region_than_the_settings_is_a_warning(patient) -> None:
    patient.aws.session = FakeSession(region="us-east-1")
    check = only(account.region(patient.app))

    assert check.level is Level.WARNING
    assert check.message.startswith("us-east-1, from the profile; the settings say eu-west-1")


def test_an_endpoint_that_takes_every_call_is_told(patient, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")

    assert "sends every call to http://127.0.0.1:4566" in only(account.region(patient.app)).message


def test_a_bootstrapped_account_is_fine(patient) -> None:
    found = bootstrap(patient)

    assert list(found) == ["Bootstrap", "Ledger", "Artifacts", "Settings in SSM"]
    assert {check.level for check in found.values()} == {Level.OK}
    assert found["Ledger"].message == "it answers; last number given: none yet"


def test_the_ledger_tells_the_last_numbers(patient) -> None:
    patient.app.ledger.reserve("dev", "v1", "ann", patient.app.now())
    patient.app.ledger.reserve("dev", "v1", "ann", patient.app.now())
    patient.app.ledger.reserve("production", "v1", "ann", patient.app.now())

    assert bootstrap(patient)["Ledger"].message.endswith("r-2 in dev, r-1 in production")


def test_a_missing_bootstrap_is_one_error_with_the_command(patient) -> None:
    del patient.aws.stacks.there["manuel-operations"]
    patient.aws.parameters.values.clear()
    check = only(account.bootstrap(patient.app))

    assert (check.level, check.access) == (Level.ERROR, True)
    assert "manuel-release bootstrap" in check.hint


def test_an_operations_stack_that_is_stuck_is_an_error(patient) -> None:
    patient.stack("ROLLBACK_COMPLETE", "manuel-operations")

    check = bootstrap(patient)["Bootstrap"]
    assert check.level is Level.ERROR
    assert "delete-stack --stack-name manuel-operations" in check.hint


def test_a_ledger_that_cannot_be_read_does_not_hide_the_rest(patient) -> None:
    class Gone:
        def query(self, *_, **__):
            raise SettingsError("table manuel-releases does not exist in eu-west-1", hint="Run bootstrap.")

    patient.aws.table_of = Gone()
    found = bootstrap(patient)

    assert (found["Ledger"].level, found["Ledger"].access) == (Level.ERROR, True)
    assert found["Ledger"].message == "table manuel-releases does not exist in eu-west-1"
    assert found["Artifacts"].level is Level.OK


def test_a_missing_bucket_is_an_error(patient) -> None:
    patient.aws.buckets.there.clear()
    check = bootstrap(patient)["Artifacts"]

    assert (check.level, check.message) == (Level.ERROR, "the bucket artifacts does not exist")


def test_missing_settings_in_ssm_are_a_warning(patient) -> None:
    del patient.aws.parameters.values[settings_module.SSM_NAME]
    check = bootstrap(patient)["Settings in SSM"]

    assert check.level is Level.WARNING
    assert "/manuel/settings does not exist" in check.message


def test_other_settings_in_ssm_are_a_warning(patient) -> None:
    patient.aws.parameters.values[settings_module.SSM_NAME] = 'region = "us-east-1"'
    check = bootstrap(patient)["Settings in SSM"]

    assert check.level is Level.WARNING
    assert "/manuel/settings differs from" in check.message
    assert "bootstrap" in check.hint


def call(patient, apart, seconds=0.2):
    """A call that AWS answered when its clock was `apart` seconds ahead of this machine's."""
    at = patient.app.now()
    answered = at + timedelta(seconds=seconds + apart)
    return Call("sts", "GetCallerIdentity", at, seconds, answered_at=answered.replace(microsecond=0))


@pytest.mark.parametrize(
    ("apart", "level", "told"),
    [
        (0, Level.OK, "it agrees with AWS's"),
        (10, Level.OK, "10 s behind AWS's"),
        (-10, Level.OK, "10 s ahead of AWS's"),
        (29, Level.OK, "29 s behind AWS's"),
        (31, Level.WARNING, "31 s behind AWS's: leases begin and expire by it"),
        (-200, Level.WARNING, "200 s ahead of AWS's: leases begin"),
        (301, Level.ERROR, "301 s behind AWS's: AWS refuses"),
        (-3600, Level.ERROR, "3600 s ahead of AWS's: AWS refuses"),
    ],
)
def test_the_clock_is_compared_with_awss(patient, apart, level, told) -> None:
    patient.aws.session = FakeSession(calls=(call(patient, apart),))
    check = only(account.clock(patient.app))

    assert check.level is level
    assert told in check.message
    assert check.access is (level is Level.ERROR)


def test_a_slow_answer_does_not_make_the_clock_wrong(patient) -> None:
    slow = call(patient, 0, seconds=50.0)
    patient.aws.session = FakeSession(calls=(slow, call(patient, 0), replace(slow, answered_at=None)))

    assert only(account.clock(patient.app)).level is Level.OK


def test_a_clock_that_nothing_was_compared_with_is_skipped(patient) -> None:
    assert only(account.clock(patient.app)).level is Level.SKIPPED
