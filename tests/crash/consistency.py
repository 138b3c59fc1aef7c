"""What a consistent world is: said once, asked after every death and recovery."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crash.small_service import ENVIRONMENT
from emulator.gateway_world import interval

from manuel_release.model.release import ReleaseState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crash.crash_world import CrashWorld

REQUESTS = 40
SURE = 1 - 1e-9
"""Of the interval of a split: there are hundreds of points, and none of them may fail by chance."""


@dataclass(frozen=True)
class Expected:
    """A settled world.

    serving: the release of every request that no canary takes. canary: release and percent. staged: the release that
    waits at 0 %. rolled_back: the release that was taken back and whose code is in quarantine. serving_then: what
    served right after that; None for what serves now. begun: a deploy that may still be unfinished, and then `status`
    says so.
    """

    serving: str
    canary: tuple[str, float] | None = None
    staged: str | None = None
    rolled_back: str | None = None
    serving_then: str | None = None
    begun: str | None = None


def deadly(service: CrashWorld, serving: frozenset[str]) -> list[str]:
    """What is wrong right after a death: users must not notice it."""
    answers = set(service.ask(10))
    return [
        f"after the death {release or 'no release'} answers with {status}"
        for status, release in sorted(answers)
        if status != 200 or release not in serving
    ]


def complaints(service: CrashWorld, expected: Expected, *, canary: bool) -> list[str]:
    """What of the world is not as a settled one has to be, a sentence each; none for a consistent one.

    canary: whether the environment has canaries.
    """
    service.wait_for_lease()
    status = service.run("status", canary=canary).answer["environments"][0]
    found: list[str] = []
    for check in CHECKS:
        found += check(service, expected, status)
    return found


def _traffic(service: CrashWorld, expected: Expected, _: Any) -> Iterator[str]:
    """The API serves exactly what it should, in the share that it should."""
    seen = Counter(service.ask(REQUESTS))
    wanted = {(200, expected.serving)}
    if expected.canary is not None:
        release, percent = expected.canary
        wanted.add((200, release))
        low, high = interval(REQUESTS, percent, SURE)
        if not low <= seen[200, release] <= high:
            yield f"{release} answers {seen[200, release]} of {REQUESTS} requests, and has {percent:g} %"
    for status, release in set(seen) - wanted:
        yield f"{release or 'no release'} answers with {status}"


def _stage(service: CrashWorld, expected: Expected, _: Any) -> Iterator[str]:
    """No pin, no half canary, and the stage names what serves."""
    shown = service.stage()
    variables, settings = shown["variables"], shown.get("canarySettings")
    if variables["release"] != "live":
        yield f"the stage is pinned to {variables['release']}"
    if variables["current"] != expected.serving:
        yield f"the stage says that {variables['current']} holds 100 %"
    new = expected.canary[0] if expected.canary is not None else expected.staged
    if variables.get("candidate", "none") not in {new or "none", expected.serving}:
        yield f"the stage says that {variables['candidate']} is new"
    if new is not None and variables.get("candidate") != new:
        yield f"the stage does not say that {new} is new"
    there = (settings["stageVariableOverrides"]["release"], settings["percentTraffic"]) if settings else None
    if there != expected.canary:
        yield f"the stage has the canary {there}"
    if service.ledger_definition(new or expected.serving) not in {"", shown["deploymentId"]}:
        yield f"the stage serves the API definition {shown['deploymentId']} of another release"


def _aliases(service: CrashWorld, expected: Expected, _: Any) -> Iterator[str]:
    """`live` of every function is on one release, each release is on every function, and each version is its own.

    A release that was not completely deployed, and what a pruning that died has left, is nobody's way back.
    """
    partly = incomplete(service) | left_over(service)
    everywhere: list[set[str]] = []
    for name in service.names:
        version, weights = service.live(name)
        if weights or service.release_of(name, version) != expected.serving:
            yield f"`live` of {name} is on version {version} {weights or ''}"
        there = service.aliases(name)
        everywhere.append(set(there) - partly)
        for alias in set(there) - {"live"}:
            if service.release_of(name, there[alias]) != alias:
                yield f"the alias {alias} of {name} is on a version of {service.release_of(name, there[alias])}"
    for alias in set.union(*everywhere) - set.intersection(*everywhere):
        yield f"not every function has the alias {alias}"
    needed = {expected.serving, *(one for one in (expected.staged, expected.rolled_back) if one)}
    needed |= {expected.canary[0]} if expected.canary is not None else set()
    for alias in needed - set.intersection(*everywhere) - partly:
        yield f"no function has the alias {alias}"
    for deployment in service.active():
        yield f"CodeDeploy still moves something: {deployment}"


def _ledger(service: CrashWorld, expected: Expected, _: Any) -> Iterator[str]:
    """No plan is open, and every release is in the state that it is in."""
    history = service.history()
    for one in history:
        if one.state is ReleaseState.DEPLOYING and one.name != expected.begun:
            yield f"the ledger has an open deploy of {one.name}"
        for back in one.returns:
            if not back.done:
                yield f"the ledger has an open rollback of {one.name}"
        versions = {name: service.aliases(name).get(one.name) for name in service.names}
        if one.versions and one.pruned_at is None and dict(one.versions) != versions:
            yield f"the ledger says {dict(one.versions)} of {one.name}, and its aliases are on {versions}"
    states = {
        ReleaseState.LIVE: expected.serving,
        ReleaseState.CANARY: expected.canary[0] if expected.canary is not None else None,
        ReleaseState.STAGED: expected.staged,
        ReleaseState.ROLLING_OUT: None,
        ReleaseState.ROLLED_BACK: expected.rolled_back,
    }
    for state, wanted in states.items():
        named = [one.name for one in history if one.state is state]
        if named != ([wanted] if wanted is not None else []):
            yield f"by the ledger {' and '.join(named) or 'nothing'} is {state.value}"
    if expected.canary is not None:
        shares = [one.steps[-1].percent for one in history if one.name == expected.canary[0] and one.steps]
        if shares != [expected.canary[1]]:
            yield f"by the ledger the canary has {shares} %"


def left_over(service: CrashWorld) -> set[str]:
    """Releases that are pruned by the ledger, and of which some function still has the alias."""
    pruned = {one.name for one in service.history() if one.pruned_at is not None}
    return pruned & {alias for name in service.names for alias in service.aliases(name)}


def incomplete(service: CrashWorld) -> set[str]:
    """Releases that nobody can go to, by the ledger: their deploy did not come to its end."""
    return {one.name for one in service.history() if not one.versions}


def _digests(service: CrashWorld, expected: Expected, _: Any) -> Iterator[str]:
    """No two releases are the same, and exactly the code that was taken back is in quarantine."""
    history = service.history()
    digests = Counter(one.digest for one in history if one.state is not ReleaseState.FAILED)
    for digest, times in digests.items():
        if times > 1 or not digest:
            yield f"{times} releases have the digest {digest[:12] or '(none)'}"
    bad = {one.code_digest for one in history if one.name == expected.rolled_back}
    held = {one.code_digest for one in service.ledger.quarantines()}
    if held != bad:
        yield f"{sorted(held) or 'nothing'} is in quarantine, and {sorted(bad) or 'nothing'} should be"


def _incidents(service: CrashWorld, expected: Expected, _: Any) -> Iterator[str]:
    """One rollback is one incident, and it has ended."""
    incidents = service.ledger.incidents(ENVIRONMENT)
    if len(incidents) != int(expected.rolled_back is not None):
        yield f"there are {len(incidents)} incidents"
    for one in incidents:
        if one.ended_at is None or not one.receipt:
            yield f"the incident {one.id} has no end"
        if (one.release, one.to_release) != (expected.rolled_back, expected.serving_then or expected.serving):
            yield f"the incident is about {one.release} and {one.to_release}"


def _status(service: CrashWorld, expected: Expected, status: Any) -> Iterator[str]:
    """`status` names what really serves, and what is unfinished."""
    canary = status["canary"]
    seen = (canary["release"], canary["percent"]) if canary else None
    open_deploys = [one.name for one in service.history() if one.state is ReleaseState.DEPLOYING]
    wanted = {
        "live_release": expected.serving,
        "pinned_release": None,
        "staged_release": expected.staged,
        "traffic_drift": "",
        "serving_differs": [],
        "lease": None,
        "note": "",
    }
    for key, value in wanted.items():
        if status[key] != value:
            yield f"`status` says {key} = {status[key]!r}"
    if seen != expected.canary:
        yield f"`status` shows the canary {seen}"
    if [one["release"] for one in status["unfinished"]] != open_deploys:
        yield f"`status` does not say that {open_deploys} is unfinished"


CHECKS: tuple[Callable[[CrashWorld, Expected, Any], Iterator[str]], ...] = (
    _traffic,
    _stage,
    _aliases,
    _ledger,
    _digests,
    _incidents,
    _status,
)
