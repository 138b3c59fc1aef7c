"""Phases run their commands in one shell, and failures lead where CodeBuild's do."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from manuel_release.rehearsal.emulator.codebuild import buildspec, phases
from manuel_release.rehearsal.emulator.codebuild.shell import Control, Interrupted, Shell

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_SECONDS = 20.0


class Ran:
    """One build, run to its end."""

    def __init__(self, folder: Path, text: str, *, seconds: float = PATIENCE_SECONDS, shell: str = "bash") -> None:
        self.folder = folder
        self.spec = buildspec.parse(f"version: 0.2\nenv: {{shell: {shell}, exported-variables: [OUT]}}\n{text}")
        self.control = Control(threading.Event(), time.monotonic() + seconds)
        self.records: list[phases.PhaseRecord] = []
        self.interrupted = ""
        self.succeeded = self.built = False
        self.values: dict[str, str] = {}

    def __call__(self) -> Ran:
        source = self.folder / "src"
        source.mkdir()
        environment = {"PATH": os.environ["PATH"], "GIVEN": "given"}
        with Shell(
            self.spec.shell, source, self.folder / "private", self.folder / "log", environment, self.spec.exported
        ) as shell:
            try:
                result = phases.run(self.spec, shell, self.control, self.records.append)
                self.succeeded, self.built = result.succeeded, result.built
            except Interrupted as interrupted:
                self.interrupted = interrupted.status
            self.values = shell.values()
        return self

    @property
    def statuses(self) -> dict[str, str]:
        return {record.kind: record.status for record in self.records}

    @property
    def printed(self) -> list[str]:
        """What commands printed, without CodeBuild's own lines."""
        lines = (self.folder / "log").read_text().splitlines()
        return [line for line in lines if not line.startswith("[Container]")]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


def build(folder: Path, text: str, **options: object) -> Ran:
    return Ran(folder, text, **options)()  # type: ignore[arg-type]


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_directory_and_exports_go_from_command_to_command_and_from_phase_to_phase(tmp_path: Path, shell: str) -> None:
    ran = build(
        tmp_path,
        """
phases:
  pre_build: {commands: ["mkdir here && cd here", "export A='two words'; B=plain", 'echo "$A $B $GIVEN"']}
  build: {commands: ['echo "$A [$B]"', 'basename "$PWD"', "unset GIVEN"]}
  post_build: {commands: ['echo "[$GIVEN]"']}
""",
        shell=shell,
    )
    assert ran.succeeded
    assert ran.printed == ["two words plain given", "two words []", "here", "[]"]
    assert set(ran.statuses.values()) == {"SUCCEEDED"}


def test_an_exported_variable_has_the_value_that_the_build_left(tmp_path: Path) -> None:
    ran = build(
        tmp_path,
        'phases: {build: {commands: ["export OUT=a", "OUT=$(printf \'b c\')"]}, post_build: {commands: [":"]}}',
    )
    assert ran.values == {"OUT": "b c"}


def test_a_variable_that_the_shell_kept_for_itself_is_not_exported(tmp_path: Path) -> None:
    assert build(tmp_path, "phases: {build: {commands: [OUT=mine]}}").values == {}


def test_a_failed_build_phase_is_followed_by_post_build_which_is_told(tmp_path: Path) -> None:
    ran = build(
        tmp_path,
        """
phases:
  build: {commands: ["echo before $CODEBUILD_BUILD_SUCCEEDING", "exit 7", "echo never"]}
  post_build: {commands: ["echo after $CODEBUILD_BUILD_SUCCEEDING"]}
""",
    )
    assert (ran.succeeded, ran.built) == (False, True)
    assert ran.printed == ["before 1", "after 0"]
    failed = ran.records[2]
    assert (failed.kind, failed.status, failed.code) == ("BUILD", "FAILED", "COMMAND_EXECUTION_ERROR")
    assert failed.message == "Error while executing command: exit 7. Reason: exit status 7"
    assert ran.statuses["POST_BUILD"] == "SUCCEEDED"


@pytest.mark.parametrize("phase", ["install", "pre_build"])
def test_nothing_follows_a_failed_install_or_pre_build(tmp_path: Path, phase: str) -> None:
    ran = build(tmp_path, f"phases: {{{phase}: {{commands: ['false']}}, build: {{commands: [echo build]}}}}")
    assert ran.printed == []
    assert not ran.built
    assert "BUILD" not in ran.statuses


def test_abort_leaves_post_build_out(tmp_path: Path) -> None:
    ran = build(
        tmp_path,
        "phases: {build: {on-failure: ABORT, commands: ['false']}, post_build: {commands: [echo post]}}",
    )
    assert ran.printed == []
    assert ran.built


def test_continue_goes_on_and_the_build_has_failed_all_the_same(tmp_path: Path) -> None:
    ran = build(
        tmp_path,
        "phases: {install: {on-failure: CONTINUE, commands: ['false']}, build: {commands: [echo build]}}",
    )
    assert ran.printed == ["build"]
    assert not ran.succeeded


def test_finally_runs_although_the_phase_failed(tmp_path: Path) -> None:
    ran = build(
        tmp_path,
        "phases: {build: {commands: ['false'], finally: [echo finally $CODEBUILD_BUILD_SUCCEEDING]}}",
    )
    assert ran.printed == ["finally 0"]
    assert ran.statuses["BUILD"] == "FAILED"


def test_a_failing_finally_fails_the_phase(tmp_path: Path) -> None:
    assert not build(tmp_path, "phases: {build: {commands: ['true'], finally: ['false']}}").succeeded


def test_a_phase_is_retried_until_it_succeeds(tmp_path: Path) -> None:
    ran = build(
        tmp_path,
        "phases: {build: {on-failure: RETRY-3, commands: ['echo x >> tries', 'test $(wc -l < tries) -eq 3']}}",
    )
    assert ran.succeeded
    assert (tmp_path / "src" / "tries").read_text() == "x\nx\nx\n"


def test_a_phase_is_not_retried_when_its_output_does_not_match(tmp_path: Path) -> None:
    ran = build(
        tmp_path,
        "phases: {build: {on-failure: RETRY-3-rate exceeded, commands: ['echo x >> tries', 'echo other', 'false']}}",
    )
    assert not ran.succeeded
    assert (tmp_path / "src" / "tries").read_text() == "x\n"


def test_a_script_with_set_e_stops_at_its_first_failure(tmp_path: Path) -> None:
    ran = build(tmp_path, 'phases: {build: {commands: ["set -e\\nfalse\\necho never"]}}')
    assert "never" not in ran.printed
    assert ran.statuses["BUILD"] == "FAILED"


def test_the_log_names_each_command(tmp_path: Path) -> None:
    log = build(tmp_path, "phases: {build: {commands: [echo one, \"echo 'two  %s'\"]}}").log
    assert "Running command echo one\none\n" in log
    assert "Running command echo 'two  %s'\ntwo  %s\n" in log
    assert "Phase complete: BUILD State: SUCCEEDED" in log


def test_a_build_that_takes_too_long_is_timed_out_and_killed(tmp_path: Path) -> None:
    ran = build(tmp_path, "phases: {build: {commands: ['echo $$ > pid; exec sleep 60']}}", seconds=0.5)
    assert ran.interrupted == "TIMED_OUT"
    assert (ran.records[-1].status, ran.records[-1].code) == ("TIMED_OUT", "BUILD_TIMED_OUT")
    gone((tmp_path / "src" / "pid").read_text())


def test_stopping_kills_what_the_build_left_in_the_background_too(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "phases: {install: {commands: ['sleep 61 & echo $! > pid']}, build: {commands: [sleep 60]}}")
    threading.Timer(0.5, ran.control.stop.set).start()
    ran()
    assert ran.interrupted == "STOPPED"
    assert ran.records[-1].status == "STOPPED"
    gone((tmp_path / "src" / "pid").read_text())


def gone(pid: str) -> None:
    """Wait until a process has ended; a zombie has."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{int(pid)}/stat") as stat:  # noqa: PTH123
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid.strip()} still runs")


def test_a_runtime_is_compared_with_this_machines_and_changes_nothing(tmp_path: Path) -> None:
    ran = build(
        tmp_path,
        "phases: {install: {runtime-versions: {python: 3.13, nothing: 1}}, build: {commands: [echo built]}}",
    )
    assert ran.succeeded
    assert "Runtime python 3.13 is asked for; on this machine there is Python 3." in ran.log
    assert "Runtime nothing 1 is asked for; on this machine there is none" in ran.log
