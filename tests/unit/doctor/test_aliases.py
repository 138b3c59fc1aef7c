"""The check of the aliases: missing, moved, weighted, elsewhere."""

from __future__ import annotations

from dataclasses import replace

from unit.doctor.patient import only

from manuel_release import settings as settings_module
from manuel_release.doctor.aliases import aliases
from manuel_release.errors import AccessError
from manuel_release.model.check import Level
from manuel_release.model.traffic import Alias, Deployment

HEALTH, USAGE = "manuel-health-dev", "manuel-usage-dev"


def test_an_environment_without_a_service_has_nothing_to_look_at(patient) -> None:
    assert list(aliases(patient.subject())) == []


def test_live_and_every_retained_release_on_every_function_is_fine(patient) -> None:
    patient.deployed(HEALTH, USAGE)
    check = only(aliases(patient.subject()))

    assert check.level is Level.OK
    assert check.message == "2 functions have `live` and r-1, r-2, no weights are left"


def test_a_function_without_live_is_an_error_with_the_command_that_puts_it_back(patient) -> None:
    patient.deployed(HEALTH, USAGE)
    del patient.aliases_of(USAGE)["live"]
    check = only(aliases(patient.subject()))

    assert check.level is Level.ERROR
    assert check.message == f"`live` is missing on {USAGE}: the API answers 500 for them"
    assert f"create-alias --function-name {USAGE} --name live --function-version 2`" in check.hint


def test_a_release_that_is_missing_on_a_function_is_a_warning_with_its_version(patient) -> None:
    patient.deployed(HEALTH, USAGE)
    del patient.aliases_of(HEALTH)["r-1"]
    check = only(aliases(patient.subject()))

    assert check.level is Level.WARNING
    assert check.message == f"r-1 is missing on {HEALTH}: a rollback to it would answer 500 there"
    assert f"create-alias --function-name {HEALTH} --name r-1 --function-version 1`" in check.hint


def test_a_function_that_a_release_never_had_has_no_version_to_name(patient) -> None:
    patient.deployed(HEALTH)
    patient.aws.functions.all[USAGE] = replace(patient.aws.functions.all[HEALTH], aliases={})
    patient.aliases_of(USAGE).update(live=Alias(USAGE, "live", "1"), **{"r-2": Alias(USAGE, "r-2", "1")})
    check = only(aliases(patient.subject()))

    assert f"r-1 is missing on {USAGE}" in check.message
    assert "--function-version VERSION`" in check.hint


def test_a_release_that_was_moved_is_an_error(patient) -> None:
    patient.deployed(HEALTH, USAGE)
    patient.aliases_of(USAGE)["r-1"] = Alias(USAGE, "r-1", "2")
    check = only(aliases(patient.subject()))

    assert check.level is Level.ERROR
    assert check.message == f"r-1 of {USAGE} names version 2, it was made on 1"


def test_weights_that_nothing_moves_are_an_error(patient) -> None:
    patient.deployed(HEALTH, USAGE)
    patient.aliases_of(USAGE)["live"] = Alias(USAGE, "live", "2", weights={"1": 0.1})
    check = only(aliases(patient.subject()))

    assert check.level is Level.ERROR
    assert "splits traffic" in check.message
    assert "update-alias" in check.hint


def test_weights_of_a_deployment_under_way_are_no_fault(patient) -> None:
    patient.deployed(HEALTH, USAGE)
    patient.aws.deployments.made["d-1"] = Deployment("d-1", USAGE, "InProgress")
    patient.aliases_of(USAGE)["live"] = Alias(USAGE, "live", "1", weights={"2": 0.1})

    assert only(aliases(patient.subject())).level is Level.OK


def test_a_release_with_weights_is_an_error(patient) -> None:
    patient.deployed(HEALTH)
    patient.aliases_of(HEALTH)["r-2"] = Alias(HEALTH, "r-2", "2", weights={"1": 0.5})
    check = only(aliases(patient.subject()))

    assert (check.level, check.message) == (
        Level.ERROR,
        f"r-2 of {HEALTH} splits its traffic, and a release's alias never does",
    )


def test_live_on_another_version_than_the_live_release_is_a_warning(patient) -> None:
    patient.deployed(HEALTH, USAGE)
    patient.aliases_of(HEALTH)["live"] = Alias(HEALTH, "live", "1")
    check = only(aliases(patient.subject()))

    assert check.level is Level.WARNING
    assert check.message == f"`live` of {HEALTH} is on version 1, r-2 is version 2"


def test_each_kind_of_fault_is_a_result_of_its_own(patient) -> None:
    patient.deployed(HEALTH, USAGE)
    del patient.aliases_of(USAGE)["r-1"]
    del patient.aliases_of(USAGE)["live"]
    patient.aliases_of(HEALTH)["live"] = Alias(HEALTH, "live", "1")

    assert [check.level for check in aliases(patient.subject())] == [Level.ERROR, Level.WARNING, Level.WARNING]


def test_a_ledger_that_cannot_be_read_is_the_matter_of_its_own_check(patient) -> None:
    def gone(*_, **__):
        raise AccessError("not allowed to do dynamodb:Query")

    patient.deployed(HEALTH)
    patient.aws.table_of.query = gone

    assert only(aliases(patient.subject())).level is Level.OK


def test_without_a_ledger_what_lambda_shows_is_judged(patient) -> None:
    patient.deployed(HEALTH)
    del patient.aws.parameters.values[settings_module.LEDGER_PARAMETER]
    check = only(aliases(patient.subject()))

    assert check.level is Level.OK
    assert check.message.startswith("1 function has `live`, no weights are left; the ledger does not tell")
