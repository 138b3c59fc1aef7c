"""The rehearsal: the real templates, pipeline, functions and HTTP requests on an AWS of its own.

Every change is made by this very command line tool and by the pipeline's own builds, so what is rehearsed is what
people run.
"""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from manuel_release.errors import ReleaseError
from manuel_release.model.rehearsal import Rehearsal
from manuel_release.rehearsal import detached, journey, persons, scene, workspace
from manuel_release.rehearsal.aftermath import Aftermath
from manuel_release.rehearsal.days import Days
from manuel_release.rehearsal.push import REPOSITORY
from manuel_release.rehearsal.recorder import Recorder, pointed_at
from manuel_release.rehearsal.scene import Pace

if TYPE_CHECKING:
    from pathlib import Path

    from manuel_release.aws import Aws
    from manuel_release.model.pipeline import ActionRun
    from manuel_release.model.progress import Progress
    from manuel_release.rehearsal.faults import Fault
    from manuel_release.rehearsal.process import EmbeddedCloud

NOT_EVIDENCE = (
    "What this is no evidence for: what CloudFormation's roles may do, PassRole, the stage cache, WAF, arm64 "
    "execution, reserved and provisioned concurrency, and how long AWS takes over a stack."
)
PER_SECOND = 20.0
USERS = 24
PATIENCE_MINUTES = 12.0


@dataclass(frozen=True)
class Script:
    """What is rehearsed.

    bad: the bad day; None for none. good: whether a good day comes first. by_hand: whether a finished release is
    rolled back by hand at the end. full: whole test suites instead of their smoke profiles. approve: whether the people
    of the rehearsal decide at the gates, or real ones do in another terminal. keep: leave the cloud and the logs.
    """

    bad: Fault | None
    good: bool = True
    by_hand: bool = True
    full: bool = False
    approve: bool = True
    keep: bool = False

    @property
    def days(self) -> tuple[str, ...]:
        """What a stamp says was rehearsed."""
        bad = (f"{self.bad.kind} in {self.bad.stage}",) if self.bad is not None else ()
        return (*(("good day",) if self.good else ()), *bad, *(("by hand",) if self.by_hand else ()))


@dataclass
class Rehearser:
    """Runs a script. root: the repository. folder: where this rehearsal keeps its copies, logs and cloud."""

    root: Path
    folder: Path
    region: str
    progress: Progress
    script: Script
    decided: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    after: Aftermath | None = None

    def run(self) -> Rehearsal:
        """All of it; a failure is told in the result. Raises Refused when the one that is kept would be a second."""
        if self.script.keep:
            detached.refuse_second(self.root / ".manuel")
        began, failure = time.monotonic(), ""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.recorder = Recorder(self.folder, self.progress)
        self.pace = pace_for(self.script.bad)
        with ExitStack() as stack:
            try:
                self._prepare(stack)
                self._everything(stack)
            except ReleaseError as error:
                failure = error.message
            except KeyboardInterrupt as stopped:
                stopped.add_note(f"Nothing but this rehearsal was touched; its copies and logs are in {self.folder}.")
                raise
        if not self.script.keep and not failure:
            shutil.rmtree(self.folder, ignore_errors=True)
        return self._result(time.monotonic() - began, failure)

    def _prepare(self, stack: ExitStack) -> None:
        """Copy the tree, start the cloud, and leave nothing of it behind."""
        from manuel_release.aws import Aws  # noqa: PLC0415 - only a rehearsal that got so far needs it
        from manuel_release.aws.session import Session  # noqa: PLC0415

        record, first = self.recorder, self.folder / "v1"
        with record.stage("Embedded AWS"):
            record.act("copy the working tree", lambda: workspace.copy_tree(self.root, first))
            self.cloud: EmbeddedCloud = record.act(
                "start",
                lambda: scene.start(
                    self.folder, self.region, self.pace, full=self.script.full, tied=not self.script.keep
                ),
            )
            stack.callback(self._stop)
            stack.enter_context(pointed_at(self.cloud.environment()))
            self.aws: Aws = Aws(Session(None, self.region, self.region))
            record.act("settings for short steps", lambda: scene.write_settings(first, self.cloud.endpoint, self.pace))
            record.act("knowledge bases, fault layer", lambda: scene.write_account(self.cloud, self.aws.session, first))

    def _everything(self, stack: ExitStack) -> None:
        record, script = self.recorder, self.script
        with record.stage("Bootstrap"):
            record.cli("v1", "bootstrap", "--yes")
        with record.stage("First release"):
            self._first_release()
        with record.stage("A user"):
            self.facts += journey.try_everything(self.aws, self._place("manuel-dev"), record)
            load = journey.crowd(self.aws, self._place("manuel-prod"), PER_SECOND, USERS)
        after = self.after = Aftermath(record, stack.enter_context(load))
        first = self._open_pipeline("v2" if script.good or script.bad is None else script.bad.version)
        pushed = self._good_day(first, after) if script.good else first
        if script.bad is not None:
            self._bad_day(script.bad, pushed, after)
        if script.by_hand:
            self._by_hand(after)
        with record.stage("Status"):
            record.act("status", after.read)

    def _first_release(self) -> None:
        """Version 1 to the three environments: built once, then all at the same time."""
        record = self.recorder
        record.cli("v1", "deploy", "--env", "dev", "--yes")
        record.together([partial(self._deploy_built, environment) for environment in ("staging", "production")])

    def _deploy_built(self, environment: str) -> None:
        self.recorder.cli("v1", "deploy", "--env", environment, "--yes", "--no-build")

    def _open_pipeline(self, version: str) -> str:
        """Push a version and make the pipeline, which starts with it at once; the execution."""
        record = self.recorder
        with record.stage("Pipeline"):
            self.days = Days(self.aws, self.cloud, record, "", None, self.decided)
            record.act(f"write {version}", lambda: self._version(version))
            record.act("push it", lambda: self.days.put(version))
            record.cli(version, "bootstrap", "--yes", "--repository", REPOSITORY)
            self.days.pipeline = record.act("find the pipeline", self.days.find)
            session = self.aws.session
            people = [persons.approver(session, "devops", "dora"), persons.approver(session, "product", "pat")]
            if self.script.approve:
                self.days.people = {person.role: person for person in people}
            else:
                self.days.files = {person.role: persons.write(person, self.cloud, self.folder) for person in people}
            return self.days.newest()

    def _version(self, version: str) -> None:
        """Make a version's folder: v2 and what stands on v1 directly, everything else on v2."""
        self.days.version("v2", "v1")
        if version != "v2":
            self.days.version(version, "v2")

    def _good_day(self, execution_id: str, after: Aftermath) -> str:
        """Follow the good day; the execution of the bad one, which is pushed meanwhile, empty without one."""
        script, pushed = self.script, list[str]()

        def during(run: ActionRun) -> None:
            if script.bad is not None and run.action == "Observe50":
                self._version(script.bad.version)
                pushed.append(self.days.push(script.bad.version))

        self.days.good(execution_id, during)
        with self.recorder.stage("After the good day"):
            self.recorder.act("r-2 serves everybody", lambda: after.serves("r-2"))
        return "".join(pushed)

    def _bad_day(self, fault: Fault, execution_id: str, after: Aftermath) -> None:
        record, before = self.recorder, after.live()
        self.days.bad(execution_id, fault)
        with record.stage("After the bad day"):
            record.act(f"{before} serves everybody", lambda: after.settled(before, fault))
        self.facts.append(f"Bad day: {fault.sentence}. {before} serves everybody.")

    def _by_hand(self, after: Aftermath) -> None:
        """A release that no metric shows to be bad is finished, and then taken back by whoever is on call."""
        record, where = self.recorder, ("--env", "production")
        before = after.live()
        with record.stage("By hand"):
            record.act("write v4", lambda: self._version("v4"))
            record.cli("v4", "deploy", *where, "--yes")
            record.cli("v4", "canary", "start", *where, "--yes", "--percent", "50", "--allow-step")
            record.lines("v4", "canary", "watch", *where, "--observe")
            record.cli("v4", "canary", "promote", "100", *where, "--yes")
            person = persons.on_call(self.aws.session, "oliver")
            reason = ("--reason", "remaining is wrong for everybody")
            receipt = record.cli("v4", "rollback", *where, "--yes", *reason, who=person.credentials)
            after.receipts.append(receipt | {"trigger": "by hand", "by": f"{person.name} ({person.role})"})
            record.act(f"{before} serves everybody", lambda: after.serves(before))

    def _place(self, stack: str) -> journey.Place:
        return journey.Place.of(self.aws, self.cloud, stack)

    def _stop(self) -> None:
        if self.script.keep:
            running = detached.remember(self.root / ".manuel", self.cloud)
            self.facts.append(
                f'The embedded AWS goes on at {running.endpoint}: eval "$(manuel-release cloud env)", and '
                "`manuel-release cloud down` at the end."
            )
            return
        with self.recorder.stage("Cloud down"):
            self.recorder.act("stop", self.cloud.stop)

    def _result(self, seconds: float, failure: str) -> Rehearsal:
        after = self.after
        status: list[dict[str, Any]] = after.status if after is not None else []
        return Rehearsal(
            stages=self.recorder.done(),
            seconds=seconds,
            releases={one["name"]: one["live_release"] for one in status},
            facts=(*self.facts, NOT_EVIDENCE),
            failure=failure,
            kept=str(self.folder) if self.script.keep or failure else "",
            status=tuple(status),
            decided=tuple(self.decided),
            traffic=after.traffic() if after is not None else (),
            receipts=tuple(after.receipts) if after is not None else (),
        )


def pace_for(fault: Fault | None) -> Pace:
    """Usual rehearsal values; an approval that nobody gives times out in a few seconds."""
    if fault is None or fault.kind != "approval":
        return Pace()
    minutes = 1440 if fault.stage == "ProductionApproval" else 120
    return Pace(approval=PATIENCE_MINUTES / minutes)
