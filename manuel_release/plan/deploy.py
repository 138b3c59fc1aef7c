"""What a deploy is going to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model.plan import (
    CheckHealth,
    CreateReleaseAlarms,
    DeployPlan,
    ExecuteChangeSet,
    NothingToDo,
    PublishRelease,
    Refusal,
    ShiftLive,
    SmokeTest,
    Step,
    WriteStageVariables,
)
from manuel_release.model.release import ReleaseState
from manuel_release.plan import changes, guards

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from manuel_release.model.deploy import DeployState
    from manuel_release.model.preview import JudgedChange
    from manuel_release.model.stack import ChangeSet
    from manuel_release.model.traffic import Alarm

MOST_ROLLBACK_TRIGGERS = 5


def admit(state: DeployState, digest: str | None = None) -> Refusal | NothingToDo | None:
    """Whether a release with this digest may be deployed now; None is yes. Without a digest only guards are asked."""
    no = guards.refusal(state)
    if no is not None or digest is None:
        return no
    no = guards.other_work(state, digest)
    if no is not None:
        return no
    live = state.live_release
    if live is not None and live.digest == digest:
        return NothingToDo(live.name, f"{live.name} is what runs: same code, template and parameters")
    staged = state.newest(ReleaseState.STAGED)
    if staged is not None and staged.digest == digest and staged == state.newest(*ReleaseState):
        return NothingToDo(
            staged.name, f"{staged.name} is deployed already and waits at 0 %: same code, template and parameters"
        )
    return None


def unfinished(state: DeployState, digest: str) -> str | None:
    """The release that a deploy of this digest began and never ended, to be gone on with; None to begin a new one."""
    begun = state.unfinished
    return begun.name if begun is not None and begun.digest == digest else None


def rollback_triggers(alarms: tuple[Alarm, ...]) -> tuple[str, ...]:
    """ARNs of the alarms that may undo a stack update: those that are not already red (AWS allows five)."""
    return tuple(alarm.arn for alarm in alarms if alarm.state != "ALARM")[:MOST_ROLLBACK_TRIGGERS]


def plan_deploy(
    state: DeployState,
    *,
    release: str,
    digest: str,
    code_digest: str,
    commit: str,
    change_set: ChangeSet,
    descriptions: Mapping[str, str],
    override_shared: str = "",
) -> DeployPlan:
    """The steps that bring a release to where it belongs; `refusal` says when they must not be taken.

    In production it is held at 0 %; elsewhere CodeDeploy moves `live` all at once. The first release of an environment
    serves as soon as its stack exists (version 1 is its code, and there are no users yet).
    """
    stack, first = state.environment.stack, state.first
    live = state.live_release
    previous = live.name if live is not None else None
    serves = first or not state.environment.canary
    steps: list[Step] = []
    if change_set.changes:
        steps.append(ExecuteChangeSet(stack, change_set.id, change_set.id.rsplit("/", 1)[-1], descriptions))
    steps.append(PublishRelease(stack, release, () if first else state.retained))
    if state.environment.canary:
        steps.append(CreateReleaseAlarms(stack, release))
    steps.append(SmokeTest(stack, release, state.environment.short))
    point_of_traffic = len(steps)
    undo: list[Step] = []
    if serves:
        variables = {"current": release, **({"previous": previous} if previous and previous != release else {})}
        if not first:
            steps.append(ShiftLive(stack, release))
        steps.append(WriteStageVariables(stack, variables))
        steps.append(CheckHealth(stack, release))
        if previous is not None and not first:
            undo = [
                ShiftLive(stack, previous, title=f"Move `live` back to {previous}"),
                WriteStageVariables(stack, {"current": previous}),
                CheckHealth(stack, previous),
            ]
    else:
        title = "Write down the candidate on the API's stage"
        steps.append(WriteStageVariables(stack, {"candidate": release}, title=title))
    red = [alarm.name for alarm in state.alarms if alarm.state == "ALARM"]
    warnings = [f"red before this deploy, and so not watched by it: {', '.join(red)}"] if red else []
    judged = changes.judge(change_set)
    warnings += _overridden(judged, override_shared)
    return DeployPlan(
        environment=state.environment.name,
        api_stage=state.api_stage,
        release=release,
        digest=digest,
        code_digest=code_digest,
        commit=commit,
        change_set=change_set,
        steps=tuple(steps),
        serves_at_end=serves,
        previous=previous,
        point_of_traffic=point_of_traffic,
        undo=tuple(undo),
        warnings=tuple(warnings),
        changes=judged,
        refusal=changes.refusal(judged, override_shared, state.environment, state.caller.region),
        override=override_shared,
    )


def _overridden(judged: Sequence[JudgedChange], override_shared: str) -> list[str]:
    breaking = [one.change.logical_id for one in judged if one.objection]
    if not override_shared:
        return []
    if not breaking:
        return ["--override-shared was given, and nothing here needs it"]
    return [f"not additive, and allowed because: {override_shared} ({', '.join(breaking)})"]
