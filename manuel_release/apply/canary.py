"""The steps that move a canary. Each looks at the stage right before it changes it, and does nothing twice."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.apply.context import Context, Done
from manuel_release.apply.rollout import Interrupted, roll_out
from manuel_release.apply.stage import check_health
from manuel_release.errors import Refused, ReleaseError
from manuel_release.model.canary_change import EndCanary, GiveShare, HoldAll, RollOut
from manuel_release.model.plan import CheckHealth
from manuel_release.model.progress import StepResult
from manuel_release.model.release import LIVE
from manuel_release.model.traffic import NO_RELEASE
from manuel_release.observe.service import observe_stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from manuel_release.model.traffic import ApiStage
    from manuel_release.observe.service import Service

    Step = GiveShare | RollOut | HoldAll | EndCanary | CheckHealth


@dataclass(frozen=True)
class Hands:
    """What a step works with besides AWS: whose canary it is, and `confirm`, which raises Refused without the lease."""

    context: Context
    service: Service
    confirm: Callable[[], None]

    def stage(self) -> ApiStage:
        """The stage as it is now, with the lease confirmed before; raises Refused, ReleaseError."""
        self.confirm()
        found = observe_stage(self.context.aws, self.service)
        if found is None:
            raise ReleaseError(f"the API {self.service.rest_api_id} has no stage {self.service.api_stage}")
        return found


class CanaryStepFailed(Exception):  # noqa: N818 - an outcome that carries its cause
    """A step failed: which one, why, and what was done before it."""

    def __init__(self, step: Step, error: ReleaseError, results: Sequence[StepResult]) -> None:
        super().__init__(error.message)
        self.step = step
        self.error = error
        self.results = tuple(results)


def execute(steps: Sequence[Step], hands: Hands) -> tuple[StepResult, ...]:
    """Do the steps in order; raises CanaryStepFailed at the first that fails."""
    results: list[StepResult] = []
    progress = hands.context.progress
    for step in steps:
        progress.start(step.title)
        began = time.monotonic()
        try:
            done = _perform(step, hands)
        except ReleaseError as error:
            seconds = time.monotonic() - began
            progress.end(StepResult(step.title, "failed", seconds, error.message.splitlines()[0]))
            raise CanaryStepFailed(step, error, results) from error
        result = StepResult(step.title, "skipped" if done.skipped else "done", time.monotonic() - began, done.detail)
        progress.end(result)
        results.append(result)
    return tuple(results)


def _perform(step: Step, hands: Hands) -> Done:
    match step:
        case GiveShare():
            return give_share(step, hands)
        case RollOut():
            return roll_out(step, hands.context, hands.service, lambda: _unmoved(hands, step.release, step.percent))
        case HoldAll():
            return hold_all(step, hands)
        case EndCanary():
            return end_canary(step, hands)
        case CheckHealth():
            return check_health(step, hands.context)


def give_share(step: GiveShare, hands: Hands) -> Done:
    """One UpdateStage: a new canary with its override, or the percentage alone of one that is there.

    The percentage alone, so that a promotion that comes too late sends nothing back to a release that was taken back.
    Raises Refused when the stage is not as it was when this was decided.
    """
    stage = hands.stage()
    canary = stage.canary
    if canary is not None and canary.release == step.release and canary.percent == step.percent:
        return Done(f"{step.release} has {step.percent:g} % already", skipped=True)
    there = canary.percent if canary is not None else None
    if stage.pinned or stage.candidate not in {None, step.release}:
        raise _moved(stage, step.release)
    gateway, api, name = hands.context.aws.gateway, stage.rest_api_id, stage.name
    if step.before is None:
        if canary is not None and canary.percent and canary.release != step.release:
            raise _moved(stage, step.release)
        variables = {} if stage.candidate == step.release else {"candidate": step.release}
        gateway.shift(api, name, variables=variables, percent=step.percent, release=step.release, at_once=True)
    else:
        if canary is None or canary.release != step.release or there != step.before:
            raise _moved(stage, step.release)
        gateway.shift(api, name, percent=step.percent)
    return Done(f"{step.release} gets {step.percent:g} %")


def hold_all(step: HoldAll, hands: Hands) -> Done:
    """One UpdateStage: `current` and `previous` as they are now, no candidate, and the canary at 0 %."""
    stage = hands.stage()
    if stage.current == step.release and stage.serving == LIVE:
        return Done("it says so already", skipped=True)
    _expect(stage, step.release, step.percent)
    variables = {"current": step.release, "previous": step.previous, "candidate": NO_RELEASE}
    hands.context.aws.gateway.shift(stage.rest_api_id, stage.name, variables=variables, percent=0.0)
    return Done(f"current={step.release}, previous={step.previous}")


def end_canary(step: EndCanary, hands: Hands) -> Done:
    """Remove the canary settings; raises Refused when they are another release's."""
    stage = hands.stage()
    if stage.canary is None:
        return Done("there is none", skipped=True)
    if stage.pinned or (stage.canary.release or "") != step.release:
        raise _moved(stage, step.release)
    hands.context.aws.gateway.remove_canary(stage.rest_api_id, stage.name)
    return Done(f"{stage.current or stage.serving} gets all requests")


def _unmoved(hands: Hands, release: str, percent: float) -> None:
    """Raise when the lease is lost, or the canary is not what it was: somebody rolled back."""
    stage = hands.stage()
    if stage.current == release and stage.serving == LIVE:
        return
    _expect(stage, release, percent)


def _expect(stage: ApiStage, release: str, percent: float) -> None:
    canary = stage.canary
    if stage.pinned or canary is None or canary.release != release or canary.percent != percent:
        raise Interrupted(_moved(stage, release).message)


def _moved(stage: ApiStage, release: str) -> Refused:
    canary = stage.canary
    now = f"{stage.serving} serves" + (f", {canary.release} gets {canary.percent:g} %" if canary is not None else "")
    return Refused(
        f"the stage was changed meanwhile, and {release} is not moved: {now}",
        hint="`manuel-release history` shows who did what; then run the command again if it is still wanted.",
    )
