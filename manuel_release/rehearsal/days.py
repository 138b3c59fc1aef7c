"""The days of a rehearsal: pushes that go through the pipeline, the people at its gates, and what goes wrong."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from manuel_release.errors import EmulatorError
from manuel_release.model.approval import GATES
from manuel_release.model.pipeline import ExecutionStatus
from manuel_release.rehearsal import execution, mischief, workspace
from manuel_release.rehearsal.push import push
from manuel_release.settings import PIPELINE_PARAMETER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from manuel_release.aws import Aws
    from manuel_release.model.pipeline import ActionRun
    from manuel_release.rehearsal.faults import Fault
    from manuel_release.rehearsal.persons import Person
    from manuel_release.rehearsal.recorder import Recorder

DAY_SECONDS = 3600.0
ASKED = {(gate.stage, action): (gate.name, role) for gate in GATES.values() for role, action in gate.actions.items()}
"""Stage and action of an approval -> the gate's name, and who is asked."""
LOG_LINES = 40
DECIDED = "decided "
MISCHIEF = "mischief"
ANSWER_SECONDS = 60.0
LOOK_SECONDS = 0.2


@dataclass
class Days:
    """Pushes versions and follows them.

    endpoint: of the embedded AWS. builds: where it keeps the logs of builds. ask: tells a person what is waited for.
    people: by role; None when real people decide in another terminal, whose shells the `files` (by role) prepare.
    """

    aws: Aws
    endpoint: str
    builds: Path
    recorder: Recorder
    ask: Callable[[str], None]
    pipeline: str = ""
    people: Mapping[str, Person] | None = None
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the versions' folders are."""
        return self.recorder.folder

    def version(self, name: str, on: str) -> None:
        """Make the folder of a version, by its patch on another version's folder, unless it is there."""
        if not (self.folder / name).exists():
            workspace.next_version(self.folder / on, self.folder / name, name)

    def put(self, version: str) -> None:
        """Put a version where the pipeline will find it, unless there is a pipeline, which that would start again."""
        if self.aws.parameters.get(PIPELINE_PARAMETER) is None:
            push(self.endpoint, self.folder / version)

    def find(self) -> str:
        """The name of the pipeline that `bootstrap` has made."""
        name = self.aws.parameters.get(PIPELINE_PARAMETER)
        if name is None:
            raise EmulatorError(f"bootstrap has not written {PIPELINE_PARAMETER}, so there is no pipeline")
        return name

    def started(self, version: str) -> str:
        """The execution that the push of a version has started; empty when there is none."""
        commit = workspace.last_commit(self.folder / version)[0]
        return next((one.id for one in self.aws.pipelines.executions(self.pipeline, 20) if one.revision == commit), "")

    def first(self, version: str) -> str:
        """The execution with which the pipeline began, as soon as it has read its source; raises EmulatorError."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while not (found := self.started(version)):
            if time.monotonic() > deadline:
                raise EmulatorError(f"the pipeline has not begun with {version} within {ANSWER_SECONDS:.0f} s")
            time.sleep(LOOK_SECONDS)
        return found

    def push(self, version: str) -> str:
        """Push a version, unless it was; the execution that it starts. Raises EmulatorError when it starts none."""
        if known := self.started(version):
            return known
        started = push(self.endpoint, self.folder / version)
        if len(started) != 1:
            raise EmulatorError(f"the push of {version} started {len(started)} executions of the pipeline, not one")
        return started[0]

    def good(self, execution_id: str, during: Callable[[ActionRun], None]) -> None:
        """Follow an execution that has to succeed, every gate approved; `during` hears of every run of an action.

        In a rehearsal that is resumed, a stage that fails, or had failed meanwhile, runs again, once.
        """

        def on_run(run: ActionRun) -> None:
            self._decide(run)
            during(run)

        status = self._follow("good day", execution_id, on_run)
        if status is ExecutionStatus.FAILED and self.recorder.journal.resumed:
            self._again(execution_id)
            status = self._follow("good day, again", execution_id, on_run)
        if status is not ExecutionStatus.SUCCEEDED:
            raise EmulatorError(f"the good day's execution ended {status}: {self._why(execution_id)}")

    def bad(self, execution_id: str, fault: Fault) -> None:
        """Follow an execution that has to fail where the fault is; raises EmulatorError when it ends differently."""

        def on_run(run: ActionRun) -> None:
            here = (run.stage, run.action) == (fault.stage, fault.action)
            if here and fault.kind == "approval":
                self.recorder.progress.note("nobody answers")
            elif here and fault.kind == "observer":
                self.recorder.journal.once(MISCHIEF, lambda: mischief.kill_observer(self.aws.session))
            elif here and fault.kind == "alarm":
                self.recorder.journal.once(MISCHIEF, lambda: mischief.ring(self.aws.session, self.candidate()))
            elif not (fault.kind == "approval" and run.stage == fault.stage):
                self._decide(run)

        status = self._follow(f"bad day ({fault.kind})", execution_id, on_run)
        if fault.kind in {"observer", "alarm"} and not self.recorder.journal.answers(MISCHIEF):
            raise EmulatorError(
                f"{fault.sentence}: that was to be made while the rehearsal was interrupted, and was not",
                hint="End it with `manuel-release cloud down`, and begin anew.",
            )
        ended = execution.outcome(self.aws.pipelines.runs(self.pipeline, execution_id))
        where = f"{fault.stage}/{fault.action}"
        if status is not ExecutionStatus.FAILED or ended.get(where) not in {
            ExecutionStatus.FAILED,
            ExecutionStatus.STOPPED,
        }:
            raise EmulatorError(
                f"{fault.sentence}, so {where} had to fail; the execution ended {status}: {self._why(execution_id)}"
            )

    def _follow(self, day: str, execution_id: str, on_run: Callable[[ActionRun], None]) -> ExecutionStatus:
        follower = execution.Follower(self.aws, self.pipeline, day, self.recorder, on_run)
        return follower.follow(execution_id, DAY_SECONDS)

    def _again(self, execution_id: str) -> None:
        """Have what failed in an execution run again."""
        ended = execution.outcome(self.aws.pipelines.runs(self.pipeline, execution_id))
        failed = [where for where, status in ended.items() if status is ExecutionStatus.FAILED]
        stage = failed[0].partition("/")[0]
        self.recorder.progress.note(f"{stage} failed and runs again")
        self.aws.pipelines.retry(self.pipeline, stage, execution_id)

    def _why(self, execution_id: str) -> str:
        """What did not succeed, and the end of the log of the newest build that failed."""
        ended = execution.outcome(self.aws.pipelines.runs(self.pipeline, execution_id))
        wrong = [f"{where} {status}" for where, status in ended.items() if status is not ExecutionStatus.SUCCEEDED]
        logs = sorted(self.builds.rglob("*.log"), key=lambda path: path.stat().st_mtime)
        failed = [text for text in (log.read_text(errors="replace") for log in logs) if "State: FAILED" in text]
        tail = "\n".join(failed[-1].splitlines()[-LOG_LINES:]) if failed else ""
        return f"{', '.join(wrong) or 'every action succeeded'}\n{tail}"

    def _decide(self, run: ActionRun) -> None:
        """Have the person who is asked look and approve, with the command line and nothing but their permissions."""
        asked = ASKED.get((run.stage, run.action))
        if asked is None:
            return
        gate, role = asked
        if self.people is None:
            self.ask(
                f"{run.stage} waits for {role}. In another terminal: . {self.files[role]}; "
                f"manuel-release approval approve --gate {gate} --role {role}"
            )
            return
        person = self.people[role]
        shown = self._cli(person, "approval", "show", "--gate", gate)
        answer = self._cli(
            person, "approval", "approve", "--gate", gate, "--role", role, "--yes", "--package", shown["package_hash"]
        )
        said = f"{person.name} ({role}) approved {gate}: {shown.get('summary') or answer.get('choice')}"
        self.recorder.journal.once(f"{DECIDED}{shown['package_hash']} {role}", lambda: said)

    def _cli(self, person: Person, *arguments: str) -> Any:
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                return self.recorder.ask("v1", *arguments, who=person.credentials)
            except EmulatorError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1.0)

    def candidate(self) -> str:
        """The newest release of production."""
        return str(self.recorder.ask("v1", "history", "--env", "production")["releases"][0]["release"])
