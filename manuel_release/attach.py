"""`deploy --attach`: watching a deploy that runs, from anywhere, without changing anything."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from manuel_release.artifact import template
from manuel_release.errors import Pending, ReleaseError
from manuel_release.model import dead_end
from manuel_release.model.entry import EntryKind
from manuel_release.model.outcome import DeployOutcome, OutcomeStatus
from manuel_release.model.progress import StepResult
from manuel_release.model.release import ReleaseState
from manuel_release.observe.failures import observe_last_operation
from manuel_release.observe.signs import observe_signs
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from manuel_release.app import App
    from manuel_release.model.entry import Lease
    from manuel_release.model.progress import Progress
    from manuel_release.model.release import Release
    from manuel_release.model.stack import Stack


def attach(app: App, progress: Progress, timeout: float | None) -> DeployOutcome:
    """Follow whatever deploy runs in the environment until it has ended; `timeout` in seconds, None for no limit.

    Raises ReleaseError when it failed, Pending when the time is up or nobody works on it any more.
    """
    deadline = None if timeout is None else app.now() + timedelta(seconds=timeout)
    release = _begun(_history(app))
    watch = _Watch(app, progress, release, deadline)
    if release is None and not watch.stack_busy():
        return _nothing(app)
    return watch.until_it_ends()


class _Watch:
    """One release, or one stack operation that no release began, while it is watched."""

    def __init__(self, app: App, progress: Progress, release: Release | None, deadline: datetime | None) -> None:
        self._app = app
        self._progress = progress
        self._release = release
        self._deadline = deadline
        self._told: set[str] = set()
        self._stack: Stack | None = None
        self._token = _token(app, release)
        self._title, self._began = "", 0.0

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """The resources' own sentences, as far as the running template has them."""
        try:
            text = self._app.aws.stacks.template(self._app.environment.stack)
            return template.descriptions(template.loads(text, "the template")) if text else {}
        except ReleaseError:
            return {}

    def stack_busy(self) -> bool:
        """Whether CloudFormation works on the environment's stack."""
        self._stack = self._app.aws.stacks.describe(self._app.environment.stack)
        return self._stack is not None and self._stack.busy

    def until_it_ends(self) -> DeployOutcome:
        """Tell what happens until nothing more does."""
        try:
            outcome = self._looked()
            while outcome is None:
                self._pause()
                outcome = self._looked()
        except ReleaseError as error:
            self._end("failed", error.message.splitlines()[0])
            raise
        self._end("done", outcome.message)
        return outcome

    def _begin(self, title: str) -> None:
        """What is followed now; the part before it is over."""
        if title != self._title:
            self._end("done")
            self._title, self._began = title, time.monotonic()
            self._progress.start(title)

    def _end(self, status: str, detail: str = "") -> None:
        if self._title:
            self._progress.end(StepResult(self._title, status, time.monotonic() - self._began, detail))

    def _looked(self) -> DeployOutcome | None:
        """One look: the outcome when it has ended. The order matters: who ends a deploy writes it down first."""
        lease = self._lease()
        busy = self.stack_busy()
        followed = self._release.name if self._release is not None else self._app.environment.stack
        self._begin(f"Follow {followed}: CloudFormation" if busy else f"Follow {followed} to its end")
        self._tell_events()
        if self._release is None:
            return None if busy else self._settled()
        now = next((one for one in _history(self._app) if one.name == self._release.name), self._release)
        if now.state is not ReleaseState.DEPLOYING:
            return self._ended(now)
        for sign in observe_signs(self._app.aws, self._app.environment.stack, now.name):
            self._tell(sign)
        if lease is None and not busy:
            raise Pending(
                f"nobody works on {now.name} any more: the process of {now.by} ended before its last step",
                hint=f"{self._deploy} goes on with it, in the same working tree or with the same artifact.",
            )
        return None

    @property
    def _deploy(self) -> str:
        return f"`manuel-release deploy --env {self._app.environment.name}`"

    def _lease(self) -> Lease | None:
        stage = self._release.api_stage if self._release is not None else ""
        return self._app.ledger.lease(self._app.environment.name, stage) if stage else None

    def _tell(self, text: str, key: str = "") -> None:
        if (key or text) not in self._told:
            self._told.add(key or text)
            self._progress.note(text)

    def _tell_events(self) -> None:
        """What CloudFormation did in the operation that is watched."""
        stack = self._stack
        if stack is None:
            return
        if not self._token and stack.busy:
            latest = self._app.aws.stacks.latest_event(stack.id)
            self._token = latest.token if latest is not None else ""
        for event in self._app.aws.stacks.events(stack.id, token=self._token) if self._token else ():
            if event.status.endswith(("_COMPLETE", "_FAILED")) and event.physical_id != stack.id:
                self._tell(dead_end.told(event, self._names), event.id)

    def _ended(self, release: Release) -> DeployOutcome:
        app = self._app
        if release.state in {ReleaseState.FAILED, ReleaseState.ROLLED_BACK}:
            raise ReleaseError(
                f"{release.name} failed: {release.failure}",
                hint=f"`manuel-release status --env {app.environment.name}` shows what serves.",
            )
        staged = release.state is ReleaseState.STAGED
        return DeployOutcome(
            app.environment.name,
            release.api_stage,
            release.name,
            OutcomeStatus.STAGED if staged else OutcomeStatus.LIVE,
            message=f"{release.by} deployed it",
        )

    def _settled(self) -> DeployOutcome:
        """The end of an operation that no deploy began."""
        stack = self._stack
        status = stack.status if stack is not None else "deleted"
        if stack is not None and stack.failed:
            events = observe_last_operation(self._app.aws, stack)
            end = dead_end.of(stack, events, self._names, self._app.aws.session.region)
            raise ReleaseError(end.reason, hint=end.hint)
        message = f"{self._app.environment.stack} is {status}; no deploy in the ledger began that"
        return DeployOutcome(self._app.environment.name, "", "", OutcomeStatus.NOTHING_TO_DO, message=message)

    def _pause(self) -> None:
        app, seconds = self._app, self._app.settings.poll_seconds
        if self._deadline is not None:
            left = (self._deadline - app.now()).total_seconds()
            if left <= 0:
                what = self._release.name if self._release else app.environment.stack
                raise Pending(
                    f"{what} is still being deployed; it goes on without this command",
                    hint=f"`manuel-release deploy --env {app.environment.name} --attach` follows it again.",
                )
            seconds = min(seconds, left)
        app.sleep(seconds)


def _history(app: App) -> tuple[Release, ...]:
    return releases(app.ledger.entries(app.environment.name))


def _begun(history: tuple[Release, ...]) -> Release | None:
    """The newest release of each API stage that never ended, the newest of them."""
    newest = {one.api_stage: one for one in reversed(history)}.values()
    begun = [one for one in newest if one.state is ReleaseState.DEPLOYING]
    return max(begun, key=lambda one: one.started_at, default=None)


def _token(app: App, release: Release | None) -> str:
    """The token of the stack operation that the release's deploy wrote down; empty when it began none."""
    if release is None:
        return ""
    entries = app.ledger.entries(app.environment.name, release.api_stage)
    begun = [e for e in entries if e.kind is EntryKind.DEPLOY_STARTED and e.release == release.name]
    return next((str(e.details["token"]) for e in reversed(begun) if e.details.get("token")), "")


def _nothing(app: App) -> DeployOutcome:
    live = next((one for one in _history(app) if one.state is ReleaseState.LIVE), None)
    serves = f"; {live.name} is live" if live is not None else ""
    return DeployOutcome(
        app.environment.name,
        live.api_stage if live is not None else "",
        live.name if live is not None else "",
        OutcomeStatus.NOTHING_TO_DO,
        message=f"no deploy runs in {app.environment.name}{serves}",
    )
