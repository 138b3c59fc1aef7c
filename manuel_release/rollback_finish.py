"""A rollback after its traffic call: cleaning up, checking, writing down, telling; no part stops the others."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from manuel_release.apply import aftermath
from manuel_release.apply.aftermath import Case
from manuel_release.apply.context import Context, Done
from manuel_release.apply.smoke import smoke_test
from manuel_release.apply.stage import check_health
from manuel_release.errors import Refused, ReleaseError
from manuel_release.lease import LeaseKeeper
from manuel_release.model.plan import CheckHealth, SmokeTest
from manuel_release.model.progress import StepResult
from manuel_release.model.release import release_number
from manuel_release.model.rollback import Receipt
from manuel_release.model.traffic import NO_RELEASE
from manuel_release.observe.exposed import observe_requests
from manuel_release.observe.service import service_of
from manuel_release.plan import rollback as planning
from manuel_release.rollback_record import Books

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.model.progress import Progress
    from manuel_release.model.rollback import Counted, Restored, Target
    from manuel_release.model.traffic import ApiStage
    from manuel_release.observe.probe import Probe
    from manuel_release.rollback import Job

WITHOUT_LEDGER = (
    "the API stays on the release itself until the ledger answers: it knows what could be gone back to next"
)


class Steps:
    """Does one thing after the other, tells each, and keeps what did not work.

    Without the lease nothing more is done: whoever took it goes on.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lost = False
        self.results: list[StepResult] = []
        self.left: list[str] = []

    def do(self, title: str, action: Callable[[], Done], *, matters: bool = True) -> bool:
        """Do it; whether it worked. What did not work and `matters` is left to a person."""
        if self._lost:
            return False
        self._progress.start(title)
        began = time.monotonic()
        try:
            done = action()
        except ReleaseError as error:
            self._lost = isinstance(error, Refused)
            self._end(title, "failed", began, error.message.splitlines()[0])
            if matters:
                self.left.append(f"{error.message} {error.hint}".strip())
            return False
        self._end(title, "skipped" if done.skipped else "done", began, done.detail)
        return True

    def _end(self, title: str, status: str, began: float, detail: str) -> None:
        result = StepResult(title, status, time.monotonic() - began, detail)
        self.results.append(result)
        self._progress.end(result)


def finish(job: Job, restored: Restored, probe: Probe | None, *, resumed: bool = False) -> Receipt:
    """Everything after the traffic call, in an order that leaves a safe world wherever it ends.

    resumed: another run made the traffic call. Raises nothing that AWS or the ledger does; the receipt says it.
    """
    return _Finish(job, restored, probe, resumed=resumed).run()


class _Finish:
    def __init__(self, job: Job, restored: Restored, probe: Probe | None, *, resumed: bool) -> None:
        app, environment, request = job.app, job.environment, job.request
        self.app, self.environment, self.request, self.agree = app, environment, request, job.agree
        self.restored, self.target, self.probe, self.resumed = restored, restored.target, probe, resumed
        self.steps = Steps(job.progress)
        context = Context(app.aws, app.settings, job.progress, app.now, app.sleep, app.aws.session.region)
        self.case = Case(context, restored.location, self.target)
        self.books = Books(app, environment, restored, request)
        self.keeper: LeaseKeeper | None = None
        self.counted: Counted | None = None
        self.bad_requests: int | None = None
        self.unpinned = self.infrastructure = False

    def run(self) -> Receipt:
        """All steps, then the receipt."""
        case, do, to = self.case, self.steps.do, self.target.to
        release = release_number(to) is not None
        do("Forget cached responses", lambda: aftermath.flush_cache(case))
        written = do("Write the rollback down and take the lease", self._open)
        do("Find the functions", self._find)
        try:
            if release:
                do(f"Check the aliases {to}", lambda: aftermath.repair_aliases(case))
            do("Stop what CodeDeploy moves", lambda: aftermath.stop_deployments(case))
            do("Remove the canary", lambda: aftermath.remove_canary(case))
            if release:
                do(f"Point `live` back to {to}", lambda: aftermath.return_live(case))
                do("Restore the API's definition", lambda: aftermath.restore_api_deployment(case))
            else:
                case.live_is_right = True
            if written:
                do(self.books.quarantine_title, self.books.quarantine)
                self.unpinned = do("Call `live` again", self._unpin)
            else:
                self.steps.left.append(WITHOUT_LEDGER)
            if release:
                self._check(to)
            if self.probe is not None:
                do("Count who answers", self._count, matters=False)
            do("Count the requests that it answered", self._exposed, matters=False)
            if self.request.infrastructure and self.unpinned:
                self.infrastructure = do(f"Restore the stack of {to}", self._infrastructure)
            receipt = self._receipt()
            if written:
                do("Write the receipt down", lambda: self.books.close(receipt))
            do("Tell people", lambda: self.books.tell(receipt), matters=False)
        finally:
            with suppress(ReleaseError):
                self.books.give_back()
        return self._receipt()

    def _open(self) -> Done:
        done = self.books.open(resumed=self.resumed)
        self.case.past = self.books.past
        if self.books.lease is not None:
            self.keeper = LeaseKeeper(self.app, self.books.lease)
            self.case.context = replace(self.case.context, sleep=self.keeper.pause)
        return done

    def _find(self) -> Done:
        self.case.service = service_of(self.app.aws, self.environment.stack)
        return Done(f"{len(self.case.service.functions)} functions")

    def _unpin(self) -> Done:
        past, target = self.books.past, self.target
        before = planning.previous(past.releases, target.to) if past is not None else ()
        known = self.restored.stage.variables.get(planning.MARK, NO_RELEASE)
        mark = planning.mark(target.bad, target.to, self.app.now()) if target.bad is not None else known
        if self.keeper is not None:
            self.keeper.confirm()
        return aftermath.unpin(self.case, before, (planning.MARK, mark))

    def _check(self, to: str) -> None:
        stack, context = self.environment.stack, self.case.context
        smoke = SmokeTest(stack, to, self.environment.short)
        self.steps.do(f"Smoke-test {to} by direct invocation", lambda: smoke_test(smoke, context))
        self.steps.do(
            f"Wait until the public URL answers with {to}", lambda: check_health(CheckHealth(stack, to), context)
        )

    def _count(self) -> Done:
        assert self.probe is not None  # noqa: S101 - asked before
        self.counted = seen = self.probe.wait()
        words = f"{seen.bad} answers of {self.target.bad or 'the bad release'}, {seen.good} of others"
        failed = f", {seen.failed} failed" if seen.failed else ""
        return Done(words + failed + ("" if seen.quiet else "; it was not quiet for long enough to be sure"))

    def _exposed(self) -> Done:
        known = self.books.past.release(self.target.bad) if self.books.past is not None else None
        if known is None or self.target.forward:
            return Done("nobody is blamed", skipped=True)
        moments = [step.at for step in known.steps[:1]] + [at for at in (known.live_at, known.started_at) if at]
        self.bad_requests = observe_requests(self.app.aws, self.case.functions, known.name, moments[0], self.app.now())
        return Done(f"{self.bad_requests} since {moments[0]:%Y-%m-%d %H:%M} UTC")

    def _infrastructure(self) -> Done:
        from manuel_release.restore_stack import restore_stack  # noqa: PLC0415 - reads YAML, which is rarely wanted

        code = self.books.code_digest(self.target.to)
        return restore_stack(self.app, self.environment, self.case.context, self.target.to, code, self.agree)

    def _receipt(self) -> Receipt:
        target, restored, request = self.target, self.restored, self.request
        kept = [f"data: what {target.bad or 'the bad release'} wrote to tables and buckets stays as it is"]
        if not self.infrastructure:
            kept.append("the stack: template and parameters are still the newest; `--infrastructure` restores them")
        return Receipt(
            environment=self.environment.name,
            api_stage=restored.location.api_stage,
            from_release=target.bad,
            to_release=target.to,
            why=target.why,
            traffic_restored=True,
            seconds_to_traffic_restored=None if self.resumed else restored.seconds,
            api_calls_before_restored=restored.api_calls,
            counted=self.counted,
            bad_requests=self.bad_requests,
            steps=tuple(self.steps.results),
            left=tuple(self.steps.left),
            not_rolled_back=(*kept, *self.case.not_rolled_back),
            undo_command=undo_command(
                self.environment.name,
                target,
                restored.stage,
                self.books.quarantined,
                infrastructure=request.infrastructure and self.infrastructure,
            ),
            incident_id=self.books.incident_id,
            message=restored.note,
        )


def undo_command(
    environment: str, target: Target, stage: ApiStage | None, quarantined: str, *, infrastructure: bool
) -> str:
    """The command line that undoes the rollback; `quarantined`: digest of the code that it put into quarantine."""
    held_all = stage is None or stage.current == target.bad
    command = planning.undo(environment, target, held_all, quarantined)
    return f"{command} --infrastructure" if infrastructure and held_all and command else command
