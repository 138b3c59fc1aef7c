"""What the pipeline's builds do around the commands: they wait their turn, and touch only the release of their build.

CodePipeline's QUEUED mode locks stages, not environments: while one execution has a canary in production, the next one
may already be at its deploy. So that waits here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from manuel_release.artifact import packaging, template
from manuel_release.errors import Pending, Refused
from manuel_release.flow import PlanRefused
from manuel_release.model.canary_run import newest_run
from manuel_release.model.release import ReleaseState
from manuel_release.observe.exposure import trial_until
from manuel_release.pipeline.standing import Standing, standing
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from manuel_release.app import App
    from manuel_release.observing import Observed

T = TypeVar("T")
UNDECIDED = "the verdict on the canary needs more requests"
"""It was good when its step was over; the first requests since may be slow ones."""
LOOKS_APART = 5
"""Polls between two attempts: whoever is in the way needs minutes."""


def patiently(app: App, do: Callable[[], T], seconds: float, own: str, say: Callable[[str], None]) -> T:
    """Do it, again while somebody else's lease or canary is in the way.

    Args:
        app: whose environment it is done in.
        do: raises Refused when it must not be done now.
        seconds: how long to wait at the most.
        own: release whose canary is not in the way; empty for none.
        say: is told what is waited for, once each.

    Raises:
        Refused: for a reason that does not end by itself, or a verdict that is still to come after the time that a
            step of a canary is observed at the least.
        Pending: it is still in the way after `seconds`.
    """
    until, told, again = app.now() + timedelta(seconds=seconds), "", False
    undecided_until = app.now() + timedelta(seconds=app.settings.canary_least_seconds)
    while True:
        try:
            return do()
        except PlanRefused:
            raise
        except Refused as refused:
            reason = in_the_way(app, own)
            if refused.passing and reason is None and app.now() < undecided_until:
                reason = UNDECIDED
            if reason is None and again:
                raise
            again = reason is None  # whatever it was may have ended between the attempt and the look
            if app.now() >= until:
                raise Pending(
                    f"it is not this build's turn after {seconds:.0f} s: {refused.message}", hint=refused.hint
                ) from refused
        if reason is not None:
            if reason != told:
                say(f"Waiting: {reason}.")
            told = reason
            app.sleep(app.settings.poll_seconds * LOOKS_APART)


def in_the_way(app: App, own: str) -> str | None:
    """What keeps others from changing the environment and ends by itself; None for nothing.

    That is a lease, a canary, and, for whoever has a release of their `own` to move, another one's trial with 100 %.
    """
    name = app.environment.name
    for lease in app.ledger.leases(name):
        return f"{lease.holder} has the lease of {name} until {lease.expires_at:%H:%M:%S} UTC: {lease.reason}"
    entries = app.ledger.entries(name)
    for api_stage in {entry.api_stage for entry in entries}:
        run = newest_run(entry for entry in entries if entry.api_stage == api_stage)
        if run is not None and run.active and run.release != own:
            return f"{run.release} is a canary in {name}"
        if run is None or run.release == own or not own:
            continue
        until = trial_until(run, app.ledger.heartbeat(name, api_stage), app.settings)
        serves = (run.release, api_stage, ReleaseState.LIVE)
        holds = any((one.name, one.api_stage, one.state) == serves for one in releases(entries))
        if holds and until is not None and app.now() < until:
            return f"{run.release} holds 100 % of {name} and is on trial until {until:%H:%M:%S} UTC"
    return None


def standing_of(app: App, code_digest: str) -> Standing:
    """How the release of a build stands in the environment; raises Refused when the build is not deployed there."""
    stack = app.aws.stacks.describe(app.environment.stack)
    api_stage = stack.outputs.get("ApiStage", "") if stack is not None else ""
    found = standing(releases(app.ledger.entries(app.environment.name)), api_stage, code_digest)
    if found is None:
        raise Refused(
            f"the build {code_digest[:12]} was never deployed to {app.environment.name}",
            hint=f"`make pipeline-deploy ENVIRONMENT={app.environment.name}` deploys it.",
        )
    return found


def everything_new(app: App, artifact: Path) -> dict[str, Any] | None:
    """What an artifact makes where there is no stack yet; None where there is one.

    AWS would compute it, but leaves an empty stack behind, and whoever only looks must not be able to delete a stack.
    """
    stack = app.aws.stacks.describe(app.environment.stack)
    if stack is not None and not stack.never_created:
        return None
    known = template.load(artifact / packaging.TEMPLATE)
    sentences = template.descriptions(known)
    made = [
        {"logical_id": name, "type": str(one.get("Type", "")), "description": sentences.get(name, "")}
        for name, one in known["Resources"].items()
    ]
    why = f"the stack {app.environment.stack} does not exist: all of this is new"
    return {"schema_version": 1, "environment": app.environment.name, "not_computed": why, "resources": made}


def undecided(app: App, end: Observed) -> bool:
    """Whether an observation ended without a verdict while the canary goes on: then people decide at the gate."""
    name = app.environment.name
    run = newest_run(app.ledger.entries(name, app.ledger.api_stage_of(name, end.release)))
    return end.exit_code == Pending.exit_code and run is not None and run.active and run.release == end.release
