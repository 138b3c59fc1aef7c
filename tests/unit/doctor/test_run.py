"""The whole examination: its order, what is left out without credentials or settings, and checks that fail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from manuel_release.app import App
from manuel_release.doctor import drift
from manuel_release.doctor.results import attempted, ok
from manuel_release.doctor.run import examine
from manuel_release.errors import AccessError, Refused, ReleaseError, SettingsError, UsageError
from manuel_release.model.check import Check, Level, Report


class Steps:
    """A progress that keeps the steps and what was told at their ends."""

    def __init__(self) -> None:
        self.ended: dict[str, str] = {}

    def start(self, title: str) -> None:
        self.ended[title] = "..."

    def note(self, text: str) -> None: ...

    def end(self, result: Any) -> None:
        self.ended[result.title] = result.detail


class Looked:
    """A report by environment and title."""

    def __init__(self, app: App) -> None:
        self.steps = Steps()
        self.report = examine(app, self.steps)

    def titles(self, environment: str = "") -> list[str]:
        return [check.title for check in self.report.checks if check.environment == environment]

    def check(self, title: str, environment: str = "") -> Check:
        (found,) = [one for one in self.report.checks if (one.title, one.environment) == (title, environment)]
        return found


MACHINE = ["Settings", "Python", "git", "SAM CLI", "uv", "Template"]
ACCOUNT = ["Credentials", "Region", "Bootstrap", "Ledger", "Artifacts", "Settings in SSM", "Clock"]


@pytest.fixture(autouse=True)
def _tools(tools, monkeypatch) -> None:
    tools.program("sam", "SAM CLI, version 1.170.0")
    tools.program("uv", "uv 0.13.9")
    tools.program("git", "git version 2.39.5")
    monkeypatch.setenv("PATH", str(tools.folder / "build" / "bin"))
    monkeypatch.setenv("MANUEL_API_URL", "http://127.0.0.1:1")


class Broken(App):
    """An App in which something cannot be had."""

    problem: Exception

    @property
    def caller(self) -> Any:
        raise self.problem


def without_credentials(patient, problem: Exception) -> App:
    app = Broken(patient.options, patient.app.screen)
    app.__dict__.update(settings=patient.settings, aws=patient.aws)
    app.problem = problem
    return app


def test_everything_is_looked_at_in_the_order_in_which_it_is_read(patient) -> None:
    patient.deployed("manuel-health-dev")
    looked = Looked(patient.app)

    assert looked.titles() == MACHINE + ACCOUNT
    assert looked.titles("dev") == ["Stack", "Parameters", "Aliases", "Public URL", "Drift"]
    assert looked.titles("staging") == looked.titles("production") == ["Stack", "Parameters"]
    assert list(looked.steps.ended) == [
        "Look at this machine",
        "Look at the account",
        "Look at dev",
        "Look at staging",
        "Look at production",
    ]


def test_a_step_ends_with_what_is_wrong_in_it(patient) -> None:
    patient.deployed("manuel-health-dev")
    del patient.aliases_of("manuel-health-dev")["r-1"]
    steps = Looked(patient.app).steps

    assert steps.ended["Look at dev"] == "1 error, 1 warning"
    assert steps.ended["Look at staging"] == ""


def test_env_limits_it_to_that_environment(patient) -> None:
    patient.options = replace(patient.options, environment="staging")
    looked = Looked(patient.app)

    assert {check.environment for check in looked.report.checks} == {"", "staging"}


def test_an_environment_that_does_not_exist_is_wrong_usage(patient) -> None:
    patient.options = replace(patient.options, environment="mars")

    with pytest.raises(UsageError, match="mars"):
        Looked(patient.app)


def test_without_credentials_the_local_checks_run_and_the_others_say_what_is_missing(patient) -> None:
    looked = Looked(without_credentials(patient, AccessError("no credentials", hint="Sign in.")))

    assert looked.titles() == [*MACHINE, "Credentials", "Region", "Bootstrap", "Clock"]
    credentials = looked.check("Credentials")
    assert (credentials.level, credentials.message, credentials.hint) == (Level.ERROR, "no credentials", "Sign in.")
    assert looked.check("Bootstrap").level is Level.SKIPPED
    assert looked.titles("dev") == ["Parameters", "AWS"]
    assert looked.check("AWS", "dev").level is Level.SKIPPED
    assert looked.report.exit_code == 4
    assert patient.aws.drift.begun == []


def test_an_aws_that_cannot_be_reached_is_no_error_of_access(patient) -> None:
    looked = Looked(without_credentials(patient, ReleaseError("no route to host")))

    assert looked.report.exit_code == 1


def test_a_broken_file_beside_missing_credentials_is_more_than_access(patient) -> None:
    (patient.folder / "parameters-dev.json").write_text("{")
    looked = Looked(without_credentials(patient, AccessError("no credentials")))

    assert looked.check("Parameters", "dev").level is Level.ERROR
    assert looked.report.exit_code == 1


def test_wrong_settings_leave_the_tools(patient) -> None:
    class Wrong(App):
        @property
        def settings(self) -> Any:
            raise SettingsError("manuel-release.toml: regon is not a setting", hint="docs/settings.md")

    looked = Looked(Wrong(patient.options, patient.app.screen))

    assert looked.titles() == [*MACHINE, "AWS"]
    assert looked.check("Settings").message == "manuel-release.toml: regon is not a setting"
    assert looked.check("SAM CLI").level is Level.OK
    assert looked.check("Template").level is Level.OK
    assert looked.report.exit_code == 4


def test_a_check_that_fails_itself_is_a_result_and_the_others_go_on(patient) -> None:
    class Crash:
        def aliases(self, _: str) -> Any:
            raise ZeroDivisionError("oh")

    patient.deployed("manuel-health-dev")
    all_of_them = patient.aws.functions.all
    patient.aws.functions = Crash()
    patient.aws.functions.all = all_of_them
    looked = Looked(patient.app)

    aliases = looked.check("Aliases", "dev")
    assert aliases.level is Level.ERROR
    assert aliases.message == "this check itself failed: ZeroDivisionError: oh"
    assert looked.check("Drift", "dev").level is Level.OK


def test_what_was_found_before_a_check_failed_is_kept() -> None:
    def check():
        yield ok("Stack", "fine")
        raise Refused("no", hint="later")

    first, second = attempted("Stack", check, "dev")

    assert (first.message, first.environment) == ("fine", "dev")
    assert (second.level, second.message, second.hint, second.access) == (Level.ERROR, "no", "later", False)


def test_drift_is_detected_while_the_rest_is_looked_at(patient) -> None:
    patient.deployed("manuel-health-dev")
    patient.stack("CREATE_COMPLETE", "manuel-staging")
    begun_when_staging_was_read: list[str] = []
    resources = patient.aws.stacks.resources

    def reading(name: str) -> Any:
        begun_when_staging_was_read.extend(patient.aws.drift.begun)
        return resources(name)

    patient.aws.stacks.resources = reading
    Looked(patient.app)

    assert begun_when_staging_was_read[:2] == ["manuel-dev", "manuel-staging"]


def test_all_detections_together_are_waited_for_no_longer_than_the_limit(patient) -> None:
    for name in ("manuel-dev", "manuel-staging", "manuel-prod"):
        patient.stack("CREATE_COMPLETE", name)
    patient.aws.drift.ended = None
    Looked(patient.app)

    assert patient.aws.drift.waited == [drift.DRIFT_SECONDS, 0.0, 0.0]


def test_timeout_is_how_long_drift_is_waited_for(patient) -> None:
    patient.stack("CREATE_COMPLETE")
    patient.options = replace(patient.options, timeout=7.0)
    Looked(patient.app)

    assert patient.aws.drift.waited == [7.0]


def test_a_detection_that_aws_refuses_is_told_in_its_place(patient) -> None:
    def refused(_: str) -> str:
        raise AccessError("not allowed to do cloudformation:DetectStackDrift", hint="Have it allowed.")

    patient.deployed("manuel-health-dev")
    patient.aws.drift.begin = refused
    looked = Looked(patient.app)

    assert looked.titles("dev")[-1] == "Drift"
    assert looked.check("Drift", "dev").access
    assert looked.check("Aliases", "dev").level is Level.OK


ERROR, ACCESS = Check(Level.ERROR, "t", "m"), Check(Level.ERROR, "t", "m", access=True)
FINE = (Check(Level.OK, "t", "m"), Check(Level.WARNING, "t", "m"), Check(Level.SKIPPED, "t", "m"))


@pytest.mark.parametrize(
    ("checks", "code"),
    [((), 0), (FINE, 0), ((*FINE, ACCESS), 4), ((ACCESS, ACCESS), 4), ((ACCESS, ERROR), 1), ((*FINE, ERROR), 1)],
)
def test_the_exit_code_tells_what_kind_of_errors_there_are(checks, code) -> None:
    report = Report(tuple(checks))

    assert (report.exit_code, report.healthy) == (code, code == 0)
