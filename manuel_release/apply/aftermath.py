"""What a rollback does once the traffic is back: each step looks at the world first and may be done again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from manuel_release.apply.context import Done
from manuel_release.aws.errors import code_of
from manuel_release.errors import Partial, Pending, ReleaseError
from manuel_release.model.release import LIVE, release_number
from manuel_release.model.traffic import NO_RELEASE
from manuel_release.observe.rollback import missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manuel_release.apply.context import Context
    from manuel_release.model.location import Location
    from manuel_release.model.rollback import Past, Target
    from manuel_release.model.traffic import Alias, ApiStage
    from manuel_release.observe.service import Service

SETTLE_ATTEMPTS = 5
_GONE = frozenset({"BadRequestException", "NotFoundException"})


@dataclass
class Case:
    """One rollback after its traffic call.

    past: the ledger's releases; None while it cannot be reached. service: the stack's functions; None while it cannot
    be read. live_is_right: whether `live` of every function is on the target's version.
    """

    context: Context
    location: Location
    target: Target
    past: Past | None = None
    service: Service | None = None
    live_is_right: bool = False
    not_rolled_back: list[str] = field(default_factory=list)

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions whose aliases matter: the stack's, else those that the ledger knows of the target."""
        if self.service is not None:
            return self.service.functions
        return tuple(sorted(self.versions))

    @property
    def versions(self) -> dict[str, str]:
        """Function -> version of the target, as far as the ledger knows."""
        known = self.past.release(self.target.to) if self.past is not None else None
        return dict(known.versions) if known is not None else {}

    def stage(self) -> ApiStage:
        """The stage as it is now; raises ReleaseError."""
        found = self.context.aws.gateway.stage(self.location.rest_api_id, self.location.api_stage)
        if found is None:
            raise missing(self.location)
        return found


def flush_cache(case: Case) -> Done:
    """Forget the responses that the bad release left in the stage's cache."""
    case.context.aws.gateway.flush_cache(case.location.rest_api_id, case.location.api_stage)
    return Done("stored responses are forgotten")


def repair_aliases(case: Case) -> Done:
    """Create the target's alias where a function lacks it, on the version that the ledger knows.

    Raises Partial naming the functions whose version nobody knows: requests to them fail until a person acts.
    """
    functions, to = case.context.aws.functions, case.target.to
    lacking = [name for name in case.functions if functions.alias(name, to) is None]
    lost: list[str] = []
    for name in lacking:
        version = case.versions.get(name)
        if version is None:
            lost.append(f"{name} (the ledger does not know its version)")
            continue
        try:
            functions.create_alias(name, to, version, f"{to}, created again by a rollback")
            case.context.progress.note(f"{name}: alias {to} was missing and is on version {version} again")
        except ReleaseError as error:
            lost.append(f"{name} ({error.message})")
    if lost:
        raise Partial(
            f"the alias {to} is missing, and requests to these functions fail: {', '.join(lost)}",
            hint=f"`aws lambda create-alias --name {to} --function-name FUNCTION --function-version VERSION` makes it.",
        )
    if not lacking:
        return Done(f"every function has the alias {to}", skipped=True)
    return Done(f"created again on {', '.join(lacking)}")


def stop_deployments(case: Case) -> Done:
    """Stop what CodeDeploy moves, have it moved back, and wait until nothing moves any more.

    Raises Pending when something still moves after `deployment_seconds`.
    """
    if case.service is None:
        raise Partial("CodeDeploy was not asked what it moves: the stack could not be read")
    deployments, context = case.context.aws.deployments, case.context
    began, stopped = context.now(), list[str]()
    while True:
        active = [i for name in case.functions for i in deployments.active(case.service.application, name)]
        if not active:
            return Done(f"stopped {', '.join(stopped)}" if stopped else "CodeDeploy moves nothing", skipped=not stopped)
        for deployment in map(deployments.get, active):
            if not deployment.over and not deployment.returns and deployment.id not in stopped:
                deployments.stop(deployment.id, roll_back=True)
                stopped.append(deployment.id)
                context.progress.note(f"{deployment.group}: {deployment.id} is stopped and moved back")
        waited = (context.now() - began).total_seconds()
        if waited > context.settings.deployment_seconds:
            raise Pending(f"CodeDeploy still moves `live` after {waited:.0f} s: {', '.join(active)}")
        context.sleep(min(1.0, context.settings.poll_seconds))


def remove_canary(case: Case) -> Done:
    """Remove the canary that the traffic call left at 0 %; raises Partial when somebody gave it traffic since."""
    canary = case.stage().canary
    if canary is None:
        return Done("there is none", skipped=True)
    if canary.percent > 0 and canary.release not in {None, case.target.to}:
        raise Partial(f"somebody else gave {canary.release} {canary.percent:g} % of the traffic since")
    case.context.aws.gateway.remove_canary(case.location.rest_api_id, case.location.api_stage)
    return Done(f"removed (it had {canary.percent:g} %)")


def return_live(case: Case) -> Done:
    """Point `live` of every function to the target's version; raises Partial naming where that is not possible.

    Looks again afterwards: a promotion that was under way may have started one more deployment meanwhile.
    """
    moved: dict[str, str] = {}
    for _ in range(SETTLE_ATTEMPTS):
        wrong, lost = _not_on_target(case)
        if lost:
            raise Partial(f"`live` is not on {case.target.to}: {', '.join(lost)}")
        if not wrong:
            case.live_is_right = True
            return Done(", ".join(f"{name} to version {v}" for name, v in moved.items()) or "", skipped=not moved)
        stop_deployments(case)
        for live, version in wrong:
            try:
                case.context.aws.functions.point_alias(live, version)
                moved[live.function] = version
            except ReleaseError as error:  # moved meanwhile: looked at again
                case.context.progress.note(error.message)
    raise Partial(f"`live` does not stay on {case.target.to}: something else moves it")


def _not_on_target(case: Case) -> tuple[list[tuple[Alias, str]], list[str]]:
    """The aliases that are elsewhere with where they belong, and what cannot be put right."""
    wrong: list[tuple[Alias, str]] = []
    lost: list[str] = []
    for name in case.functions:
        live = case.context.aws.functions.alias(name, LIVE)
        target = case.context.aws.functions.alias(name, case.target.to)
        version = target.version if target is not None else case.versions.get(name)
        if live is None or version is None:
            lost.append(f"{name} has no alias {LIVE if live is None else case.target.to}")
        elif live.version != version or live.weights:
            wrong.append((live, version))
    if not case.functions:
        lost.append("nobody knows the functions")
    return wrong, lost


def restore_api_deployment(case: Case) -> Done:
    """Have the stage serve the API definition that it had with the target; one that is gone is said, not an error."""
    known = case.past.release(case.target.to) if case.past is not None else None
    wanted = known.api_deployment_id if known is not None else ""
    stage = case.stage()
    if not wanted or stage.deployment_id == wanted:
        return Done("it is the same" if wanted else "nobody wrote down which it was", skipped=True)
    try:
        case.context.aws.gateway.use_deployment(case.location.rest_api_id, case.location.api_stage, wanted)
    except ReleaseError as error:
        if code_of(error) not in _GONE:
            raise
        case.not_rolled_back.append(f"the API's definition ({wanted} is gone; {stage.deployment_id} still serves)")
        return Done(f"{wanted} is gone; {stage.deployment_id} still serves", skipped=True)
    return Done(f"{stage.deployment_id} -> {wanted}")


def unpin(case: Case, previous: Sequence[str], mark: tuple[str, str]) -> Done:
    """Have the stage call `live` again, and write down what holds 100 % and what could still be gone back to.

    Args:
        case: the rollback.
        previous: releases that could be gone back to, best first; the first that every function has an alias of.
        mark: name and value of the stage variable that tells of this rollback.

    Raises:
        Partial: somebody else moved the traffic since, or `live` is not right everywhere; the stage stays as it is.
    """
    to, stage = case.target.to, case.stage()
    if stage.pinned not in {None, to}:
        raise Partial(f"another rollback has pinned the API to {stage.pinned} since")
    if not case.live_is_right:
        raise Partial(f"the API stays on {to} itself: `live` is not right everywhere")
    settled = {mark[0]: mark[1], "candidate": NO_RELEASE, "release": LIVE}
    if release_number(to) is not None:
        settled |= {"current": to, "previous": _reachable(case, previous)}
    different = {name: value for name, value in settled.items() if stage.variables.get(name) != value}
    if set(different) <= {mark[0]}:
        return Done("it calls `live` already", skipped=True)
    case.context.aws.gateway.write_variables(case.location.rest_api_id, case.location.api_stage, different)
    return Done(", ".join(f"{name}={value}" for name, value in different.items() if name != mark[0]))


def _reachable(case: Case, releases: Sequence[str]) -> str:
    functions = case.context.aws.functions
    for release in releases:
        if all(functions.alias(name, release) is not None for name in case.functions):
            return release
    return NO_RELEASE
