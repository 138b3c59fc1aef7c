"""The rehearsal: the real templates, pipeline, functions and HTTP requests on an AWS of its own.

Every change is made by this very command line tool and by the pipeline's own builds, so what is rehearsed is what
people run.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from manuel_release.errors import ReleaseError
from manuel_release.lease import TOKEN_VARIABLE
from manuel_release.model.rehearsal import Rehearsal
from manuel_release.rehearsal import detached, journey, persons, scene, workspace
from manuel_release.rehearsal import script as scripts
from manuel_release.rehearsal.aftermath import Aftermath
from manuel_release.rehearsal.days import DECIDED, Days
from manuel_release.rehearsal.process import child_environment, client_environment
from manuel_release.rehearsal.push import REPOSITORY
from manuel_release.rehearsal.recorder import Recorder, pointed_at
from manuel_release.rehearsal.scene import Pace
from manuel_release.rehearsal.traffic import Load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from manuel_release.aws import Aws
    from manuel_release.model.pipeline import ActionRun
    from manuel_release.model.progress import Progress
    from manuel_release.rehearsal.faults import Fault
    from manuel_release.rehearsal.process import EmbeddedCloud
    from manuel_release.rehearsal.script import Script

NOT_EVIDENCE = (
    "What this is no evidence for: what CloudFormation's roles may do, PassRole, the stage cache, WAF, arm64 "
    "execution, reserved and provisioned concurrency, and how long AWS takes over a stack."
)
PRODUCTION = ("--env", "production", "--yes")
PER_SECOND = 20.0
USERS = 24
PATIENCE_MINUTES = 12.0


@dataclass
class Rehearser:
    """Runs a script.

    root: the repository. folder: where this rehearsal keeps its copies, logs and cloud. ask: says what a person is to
    do, where they see it whatever the progress looks like. commit: of the working tree.
    endpoint: of the embedded AWS of a rehearsal that is resumed; empty for a new one.
    """

    root: Path
    folder: Path
    region: str
    progress: Progress
    ask: Callable[[str], None]
    script: Script
    commit: str = ""
    endpoint: str = ""
    facts: list[str] = field(default_factory=list)
    after: Aftermath | None = None

    def run(self) -> Rehearsal:
        """All of it; a failure is told in the result. Raises Refused when the one that is kept would be a second."""
        if self.script.keep and not self.endpoint:
            detached.refuse_second(self.state)
        failure = ""
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
                if (self.folder / scripts.FILE_NAME).exists():
                    stopped.add_note("Its embedded AWS goes on, and so does `manuel-release rehearse --resume`.")
                elif self.script.keep and detached.find(self.state) is not None:
                    stopped.add_note("Its embedded AWS goes on; `manuel-release cloud down` ends it.")
                raise
        done = self._result(failure)
        if not failure:
            scripts.forget(self.folder)
            if not self.script.keep:
                shutil.rmtree(self.folder, ignore_errors=True)
        return done

    @property
    def state(self) -> Path:
        """Where the repository keeps what is not in git."""
        return self.root / ".manuel"

    def _prepare(self, stack: ExitStack) -> None:
        """Copy the tree, start the cloud, and leave nothing of it behind; or go back to the one that is there."""
        from manuel_release.aws import Aws  # noqa: PLC0415 - only a rehearsal that got so far needs it
        from manuel_release.aws.session import Session  # noqa: PLC0415

        record, first = self.recorder, self.folder / "v1"
        with record.stage("Embedded AWS"):
            cloud = self._start(stack) if not self.endpoint else None
            if self.script.keep:
                stack.callback(self._tell_where)
            lease = {TOKEN_VARIABLE: self.folder.name}  # that of a command that was killed is this rehearsal's own
            stack.enter_context(pointed_at({**child_environment(self.endpoint, self.region), **lease}))
            self.aws: Aws = Aws(Session(None, self.region, self.region))
            self.days = Days(self.aws, self.endpoint, self.folder / "cloud" / "builds", record, self.ask)
            if cloud is not None:
                record.act("settings for short steps", lambda: scene.write_settings(first, self.endpoint, self.pace))
                record.act("knowledge bases, fault layer", lambda: scene.write_account(cloud, self.aws.session, first))
        if self.script.keep and (running := detached.find(self.state)) is not None:
            scripts.remember(self.folder, self.script, self.commit, running)

    def _start(self, stack: ExitStack) -> EmbeddedCloud:
        """Copy the tree and start the cloud, which ends with this process unless it is kept."""
        record, wanted = self.recorder, self.script
        record.act("copy the working tree", lambda: workspace.copy_tree(self.root, self.folder / "v1"))
        cloud = record.act(
            "start", lambda: scene.start(self.folder, self.region, self.pace, full=wanted.full, tied=not wanted.keep)
        )
        if wanted.keep:
            detached.remember(self.state, cloud)
        else:
            stack.callback(self._stop, cloud)
        self.endpoint = cloud.endpoint
        return cloud

    def _everything(self, stack: ExitStack) -> None:
        record, wanted = self.recorder, self.script
        with record.stage("Bootstrap"):
            record.cli("v1", "bootstrap", "--yes")
        with record.stage("First release"):
            self._first_release()
        with record.stage("A user"):
            dev, production = self._place("manuel-dev"), self._place("manuel-prod")
            self.facts += record.journal.once("a user", lambda: journey.try_everything(self.aws, dev, record))
            users = partial(journey.crowd, self.aws, production, PER_SECOND, USERS)
            load = stack.enter_context(Load(self.folder, users, tied=not wanted.keep))
        after = self.after = Aftermath(record, load)
        first = self._open_pipeline("v2" if wanted.good or wanted.bad is None else wanted.bad.version)
        pushed = self._good_day(first, after) if wanted.good else first
        if wanted.bad is not None:
            self._bad_day(wanted.bad, pushed, after)
        if wanted.by_hand:
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
            record.act(f"write {version}", lambda: self._version(version))
            record.act("push it", lambda: self.days.put(version))
            record.cli(version, "bootstrap", "--yes", "--repository", REPOSITORY)
            self.days.pipeline = record.act("find the pipeline", self.days.find)
            session = self.aws.session
            people = [persons.approver(session, "devops", "dora"), persons.approver(session, "product", "pat")]
            if self.script.approve:
                self.days.people = {person.role: person for person in people}
            else:
                environment = client_environment(self.endpoint, self.region)
                self.days.files = {person.role: persons.write(person, environment, self.folder) for person in people}
            return record.act("find its execution", lambda: self.days.first(version))

    def _version(self, version: str) -> None:
        """Make a version's folder: v2 and what stands on v1 directly, everything else on v2."""
        self.days.version("v2", "v1")
        if version != "v2":
            self.days.version(version, "v2")

    def _good_day(self, execution_id: str, after: Aftermath) -> str:
        """Follow the good day; the execution of the bad one, which is pushed meanwhile, empty without one."""
        bad = self.script.bad

        def during(run: ActionRun) -> None:
            if bad is not None and run.action == "Observe50":
                self._push(bad.version)

        self.days.good(execution_id, during)
        with self.recorder.stage("After the good day"):
            self.recorder.once("r-2 serves everybody", lambda: after.serves("r-2"))
        return self._push(bad.version) if bad is not None else ""

    def _push(self, version: str) -> str:
        """Push a version, once; the execution that this started."""
        self._version(version)
        return self.days.push(version)

    def _bad_day(self, fault: Fault, execution_id: str, after: Aftermath) -> None:
        record = self.recorder
        before = record.journal.once("live before the bad day", after.live)
        self.days.bad(execution_id, fault)
        with record.stage("After the bad day"):
            after.receipts += record.once(f"{before} serves everybody", lambda: after.settled(before, fault))
        self.facts.append(f"Bad day: {fault.sentence}. {before} serves everybody.")

    def _by_hand(self, after: Aftermath) -> None:
        """A release that no metric shows to be bad is finished, and then taken back by whoever is on call."""
        record = self.recorder
        before, newest = record.journal.once("before v4", lambda: (after.live(), self.days.candidate()))
        with record.stage("By hand"):
            record.act("write v4", lambda: self._version("v4"))
            if after.live() == before:
                self._finish(after.quarantined(newest))
            person = persons.on_call(self.aws.session, "oliver")
            if after.live() != before:
                why = ("--reason", "remaining is wrong for everybody")
                record.run("v4", "rollback", *PRODUCTION, *why, who=person.credentials)
            after.receipts.append(after.receipt() | {"trigger": "by hand", "by": f"{person.name} ({person.role})"})
            record.act(f"{before} serves everybody", lambda: after.serves(before))

    def _finish(self, taken_back: Sequence[Mapping[str, Any]]) -> None:
        """Take version 4 to everybody.

        taken_back: it, when the guard had to take its canary back, since nobody observed it while this was interrupted.
        """
        run = partial(self.recorder.run, "v4")
        start = ["canary", "start", *PRODUCTION, "--percent", "50", "--allow-step"]
        if not taken_back:
            run("deploy", *PRODUCTION)
        for one in taken_back:
            run("quarantine", "lift", str(one["code_digest"]), "--reason", "the rehearsal was interrupted")
            start += ["--release", str(one["release"])]
        run(*start)
        self.recorder.lines("v4", "canary", "watch", "--env", "production", "--observe")
        run("canary", "promote", "100", *PRODUCTION)

    def _place(self, stack: str) -> journey.Place:
        return journey.Place.of(self.aws, self.endpoint, stack)

    def _tell_where(self) -> None:
        self.facts.append(
            f'The embedded AWS goes on at {self.endpoint}: eval "$(manuel-release cloud env)", and '
            "`manuel-release cloud down` at the end."
        )

    def _stop(self, cloud: EmbeddedCloud) -> None:
        with self.recorder.stage("Cloud down"):
            self.recorder.act("stop", cloud.stop)

    def _result(self, failure: str) -> Rehearsal:
        after = self.after
        status: list[dict[str, Any]] = after.status if after is not None else []
        return Rehearsal(
            stages=self.recorder.done(),
            seconds=self.recorder.journal.elapsed,
            releases={one["name"]: one["live_release"] for one in status},
            facts=(*self.facts, NOT_EVIDENCE),
            failure=failure,
            kept=str(self.folder) if self.script.keep or failure else "",
            status=tuple(status),
            decided=self.recorder.journal.answers(DECIDED),
            traffic=after.traffic() if after is not None else (),
            receipts=tuple(after.receipts) if after is not None else (),
        )


def pace_for(fault: Fault | None) -> Pace:
    """Usual rehearsal values; an approval that nobody gives times out in a few seconds."""
    if fault is None or fault.kind != "approval":
        return Pace()
    minutes = 1440 if fault.stage == "ProductionApproval" else 120
    return Pace(approval=PATIENCE_MINUTES / minutes)
