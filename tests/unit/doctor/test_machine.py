"""The checks of this machine, with programs that are there, missing, or broken."""

from __future__ import annotations

import platform
from dataclasses import replace

import pytest
from unit.doctor.patient import only

from manuel_release import settings as settings_module
from manuel_release.doctor import machine
from manuel_release.errors import SettingsError
from manuel_release.model.check import Level

HERE = platform.python_version()


def test_a_program_is_told_with_its_version(patient, tools) -> None:
    tools.program("sam", "SAM CLI, version 1.170.0")

    check = only(machine.build_tool(patient.app, "sam", "SAM CLI"))

    assert (check.level, check.title, check.message) == (Level.OK, "SAM CLI", "1.170.0")


def test_a_missing_program_is_an_error_where_there_is_something_to_build(patient, tools) -> None:
    check = only(machine.build_tool(patient.app, "sam", "SAM CLI"))

    assert (check.level, check.access) == (Level.ERROR, True)
    assert "sam is not installed" in check.message
    assert "make setup" in check.hint


def test_a_missing_program_is_a_warning_on_a_laptop_without_the_repository(patient, tools) -> None:
    (patient.folder / "template.yaml").unlink()

    check = only(machine.build_tool(patient.app, "sam", "SAM CLI"))

    assert check.level is Level.WARNING
    assert "nothing can be built here" in check.message


@pytest.mark.parametrize(
    ("lines", "code", "told"),
    [
        (("Traceback", "ModuleNotFoundError: samcli"), 1, "ModuleNotFoundError: samcli"),
        ((), 7, "it ended with code 7"),
        (("hello",), 0, "hello"),
    ],
)
def test_a_program_that_does_not_run_is_an_error_in_its_own_words(patient, tools, lines, code, told) -> None:
    tools.program("sam", *lines, code=code)

    check = only(machine.build_tool(patient.app, "sam", "SAM CLI"))

    assert (check.level, check.message) == (Level.ERROR, f"it does not run: {told}")


def test_a_program_that_may_not_be_run_does_not_run(patient, tools) -> None:
    tools.program("uv", "uv 1.2.3")
    (tools.folder / "build" / "bin" / "uv").chmod(0o644)

    assert "Permission denied" in only(machine.build_tool(patient.app, "uv", "uv")).message


def test_a_program_that_hangs_does_not_hang_the_doctor(patient, tools, monkeypatch) -> None:
    tools.program("uv")
    (tools.folder / "build" / "bin" / "uv").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    monkeypatch.setattr(machine, "PROGRAM_SECONDS", 0.2)

    assert "timed out" in only(machine.build_tool(patient.app, "uv", "uv")).message


def test_python_is_told_also_where_nothing_is_built(patient, tools) -> None:
    check = only(machine.python(patient.app))

    assert (check.level, check.message) == (Level.OK, HERE)


def test_a_build_environment_of_the_same_python_is_fine(patient, tools) -> None:
    tools.program("python", f"Python {HERE}")

    assert only(machine.python(patient.app)).level is Level.OK


def test_a_build_environment_of_another_python_is_a_warning(patient, tools) -> None:
    tools.program("python", "Python 3.9.1")
    check = only(machine.python(patient.app))

    assert check.level is Level.WARNING
    assert check.message == f"{HERE}, and the build environment was made with 3.9.1"


def test_a_python_that_was_uninstalled_below_its_environment_is_a_warning(patient, tools) -> None:
    folder = tools.folder / "build" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to("/nowhere/python3.11")
    check = only(machine.python(patient.app))

    assert check.level is Level.WARNING
    assert "does not run" in check.message
    assert "make setup" in check.hint


def test_git_is_told_with_its_version(patient) -> None:
    assert only(machine.git(patient.app)).message.startswith("2.")


def test_without_git_releases_have_no_commit(patient, tools) -> None:
    check = only(machine.git(patient.app))

    assert check.level is Level.WARNING
    assert "no commit" in check.message


def test_a_git_that_does_not_run_is_a_warning(patient, tools, monkeypatch) -> None:
    tools.program("git", "xcrun: error: invalid active developer path", code=1)
    monkeypatch.setenv("PATH", str(tools.folder / "build" / "bin"))

    assert "invalid active developer path" in only(machine.git(patient.app)).message


def test_settings_are_told_with_their_source(patient) -> None:
    check = only(machine.settings(patient.app))

    assert (check.level, check.message) == (Level.OK, "manuel-release.toml")


def test_built_in_settings_are_a_warning(patient) -> None:
    patient.settings = settings_module.Settings()
    check = only(machine.settings(patient.app))

    assert check.level is Level.WARNING
    assert "built-in defaults" in check.message


def test_without_settings_the_repository_is_where_one_stands(patient) -> None:
    class Wrong:
        @property
        def root(self):
            raise SettingsError("wrong")

    assert machine.root(Wrong()) == patient.folder
    assert machine.root(patient.app) == replace(patient.settings).root
