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
    UseApiDeployment,
    WriteStageVariables,
)
from manuel_release.model.release import ReleaseState, release_number
from manuel_release.model.traffic import NO_RELEASE
from manuel_release.plan import changes, guards

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from manuel_release.model.deploy import DeployState
    from manuel_release.model.preview import JudgedChange
    from manuel_release.model.stack import ChangeSet
    from manuel_release.model.traffic import Alarm

MOST_ROLLBACK_TRIGGERS = 5
CANDIDATE_TITLE = "Write down the candidate on the API's stage"
FORGET_TITLE = "Have the API's stage forget the candidate"
BACK_TITLE = "Put the API's stage back on the definition that it had"


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
    if not first:  # so that a rollback at any moment from now on knows what is new, and leaves what serves
        steps.append(WriteStageVariables(stack, {"candidate": release}, title=CANDIDATE_TITLE))
    if change_set.changes:
        steps.append(ExecuteChangeSet(stack, change_set.id, change_set.id.rsplit("/", 1)[-1], descriptions))
    if state.left_definition:
        steps.append(UseApiDeployment(stack))
    steps.append(PublishRelease(stack, release, () if first else state.retained))
    if state.environment.canary:
        steps.append(CreateReleaseAlarms(stack, release))
    steps.append(SmokeTest(stack, release, state.environment.short))
    point_of_traffic = len(steps)
    undo: list[Step] = []
    if serves:
        variables = {"current": release, **({"previous": previous} if previous and previous != release else {})}
        if not first:
            variables["candidate"] = NO_RELEASE
            steps.append(ShiftLive(stack, release))
        steps.append(WriteStageVariables(stack, variables))
        steps.append(CheckHealth(stack, release))
        if previous is not None and not first:
            undo = _undo(state, stack, previous)
    red = [alarm.name for alarm in state.alarms if alarm.state == "ALARM"]
    warnings = [f"red before this deploy, and so not watched by it: {', '.join(red)}"] if red else []
    if state.left_definition:
        warnings.append(
            f"the API serves the definition {state.left_definition}, which a rollback restored or a person chose, and "
            "not the stack's own: this deploy puts it on the stack's, for all requests at once"
        )
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
        forget=forget(state, release),
        warnings=tuple(warnings),
        changes=judged,
        refusal=changes.refusal(judged, override_shared, state.environment, state.caller.region),
        override=override_shared,
    )


def forget(state: DeployState, release: str) -> tuple[Step, ...]:
    """What has the stage name the candidate that waited before, or none, when the release failed without traffic.

    Otherwise the next rollback would take the failed one back, and leave the one that is meant. A definition that a
    rollback restored or a person chose is served again too.
    """
    if state.first:
        return ()
    staged, live = state.newest(ReleaseState.STAGED), state.live_release
    waits = staged is not None and (release_number(staged.name) or 0) > (release_number(live.name if live else "") or 0)
    named = state.stage.candidate if state.stage is not None else None
    before = staged.name if staged is not None and waits and named in {staged.name, release} else NO_RELEASE
    variables, only_if = {"candidate": before}, {"candidate": release}
    stack = state.environment.stack
    return (WriteStageVariables(stack, variables, FORGET_TITLE, only_if), *_definition_back(state))


def _undo(state: DeployState, stack: str, previous: str) -> list[Step]:
    """What makes the stage and `live` as they were found, with the release that served before."""
    before = state.stage.previous if state.stage is not None else None
    variables = {"current": previous, "previous": before or NO_RELEASE, "candidate": NO_RELEASE}
    steps: list[Step] = [
        ShiftLive(stack, previous, title=f"Move `live` back to {previous}", back=True),
        WriteStageVariables(stack, variables),
    ]
    return [*steps, *_definition_back(state), CheckHealth(stack, previous)]


def _definition_back(state: DeployState) -> tuple[Step, ...]:
    left = state.left_definition
    return (UseApiDeployment(state.environment.stack, left, title=BACK_TITLE),) if left else ()


def _overridden(judged: Sequence[JudgedChange], override_shared: str) -> list[str]:
    breaking = [one.change.logical_id for one in judged if one.objection]
    if not override_shared:
        return []
    if not breaking:
        return ["--override-shared was given, and nothing here needs it"]
    return [f"not additive, and allowed because: {override_shared} ({', '.join(breaking)})"]
