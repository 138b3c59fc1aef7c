"""Where a rollback goes; pure. One look at the API's stage is enough, the ledger stands in when that fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from manuel_release.model.plan import NothingToDo, Refusal
from manuel_release.model.release import LIVE, ReleaseState, release_number
from manuel_release.model.rollback import Target
from manuel_release.model.traffic import NO_RELEASE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manuel_release.model.release import Release
    from manuel_release.model.rollback import Past
    from manuel_release.model.traffic import ApiStage

MARK = "rolled_back"
"""Stage variable that the last act of a rollback leaves: the bad release, the target, and when, with commas."""

RECENT = timedelta(minutes=15)
"""So long a second `rollback` means the same incident, and does not take back the release that helped as well."""

_EXPOSED = (ReleaseState.STAGED, ReleaseState.CANARY, ReleaseState.ROLLING_OUT)


def mark(bad: str | None, to: str, now: datetime) -> str:
    """The value of the stage variable MARK."""
    return f"{bad or NO_RELEASE},{to},{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def marked(stage: ApiStage) -> tuple[str, str, datetime] | None:
    """The bad release, the target and the moment of the last rollback that was finished; None when none is noted."""
    parts = stage.variables.get(MARK, "").split(",")
    try:
        bad, to, at = parts
        return bad, to, datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def from_stage(stage: ApiStage, environment: str, now: datetime) -> Target | NothingToDo | Refusal:
    """The default: away from what is new, else from what holds 100 % to what did before.

    NothingToDo: the same was done a moment ago.
    """
    override = stage.canary.release if stage.canary is not None else None
    current = _release(stage.current)
    if stage.pinned is not None:
        to = stage.pinned
        bad = next((one for one in (override, stage.candidate, current) if _release(one) and one != to), None)
        return Target(bad, to, f"a rollback to {to} was begun before and is not finished")
    exposed = override if _release(override) not in {None, current} else stage.candidate
    if exposed is not None:
        return Target(exposed, current or LIVE, _newest(exposed, stage))
    if current is None:
        return _unknown(environment, "the API's stage does not say which release holds 100 %")
    last = marked(stage)
    if last is not None and last[1] == current and now - last[2] < RECENT:
        return NothingToDo(current, _done_already(environment, last, now))
    previous = _release(stage.previous)
    if previous is None or previous == current:
        return _unknown(environment, f"{current} holds 100 %, and the API's stage names no release before it")
    return Target(current, previous, f"{current} holds 100 %, and {previous} did before")


def away_from(only: str, stage: ApiStage, environment: str) -> Target | NothingToDo | Refusal:
    """Away from that release and no other; NothingToDo when it is neither new nor what holds 100 %."""
    current, previous = _release(stage.current), _release(stage.previous)
    if stage.pinned is not None:
        return NothingToDo(stage.pinned, f"a rollback to {stage.pinned} was begun before")
    if only == current:
        if previous in {None, current}:
            return _unknown(environment, f"{current} holds 100 %, and the API's stage names no release before it")
        return Target(only, previous or LIVE, f"{only} holds 100 %, and {previous} did before")
    if only in {stage.candidate, stage.canary.release if stage.canary is not None else None}:
        return Target(only, current or LIVE, _newest(only, stage))
    return NothingToDo(
        current or LIVE, f"{only} has no traffic that could be taken away: {current or 'live'} holds 100 %"
    )


def _newest(release: str, stage: ApiStage) -> str:
    if stage.canary is None:
        return f"{release} is the newest release and has not held 100 % yet"
    return f"{release} is the newest release and has {stage.canary.percent:g} % of the traffic"


def from_past(past: Past, environment: str) -> Target | Refusal:
    """The same by the ledger, for when the stage cannot be read."""
    releases = past.releases
    live = next((one for one in releases if one.state is ReleaseState.LIVE), None)
    if live is None:
        return _unknown(environment, "the ledger does not say which release holds 100 %")
    if past.unfinished is not None and past.unfinished[1].to == live.name:
        return Target(
            past.unfinished[0].name, live.name, f"a rollback to {live.name} was begun before and is not finished"
        )
    newest = next((one for one in releases if one.state in _EXPOSED and _newer(one.name, live.name)), None)
    if newest is not None:
        return Target(newest.name, live.name, f"{newest.name} is the newest release by the ledger")
    before = previous(releases, live.name)
    if not before:
        return _unknown(environment, f"{live.name} holds 100 %, and the ledger knows no release before it")
    return Target(live.name, before[0], f"by the ledger {live.name} holds 100 %, and {before[0]} did before")


def named(to: str, releases: Sequence[Release] | None, environment: str, insist: bool) -> Target | Refusal:
    """`--to`: whether that release may get the traffic; `releases` newest first, None while nobody knows them."""
    why = f"{to} was asked for"
    if releases is None:
        return Target(None, to, f"{why}; the ledger could not be asked about it")
    found = next((one for one in releases if one.name == to), None)
    retained = ", ".join(one.name for one in releases if one.versions and one.pruned_at is None and one.name != to)
    go = f"manuel-release rollback --env {environment}"
    others = f"Kept are {retained}: `{go} --to RELEASE`." if retained else ""
    if found is None or not found.versions:
        what = "the ledger has no such release" if found is None else "it was never completely deployed"
        return Refusal(f"the traffic cannot go to {to}: {what}", others)
    if found.pruned_at is not None:
        return Refusal(f"the traffic cannot go to {to}: its aliases were deleted {found.pruned_at:%Y-%m-%d}", others)
    if found.state is ReleaseState.ROLLED_BACK and not insist:
        back = found.returns[-1] if found.returns else None
        when = f" {back.at:%Y-%m-%d %H:%M} UTC by {back.by}" if back is not None else ""
        reason = f": {back.reason}" if back is not None and back.reason else ""
        return Refusal(
            f"{to} was rolled back itself{when}{reason}", f"If it is meant all the same: `{go} --to {to} --yes`."
        )
    return Target(None, to, why)


def taken_from(stage: ApiStage, to: str) -> str | None:
    """The release that loses the traffic, by what UpdateStage answered; None when nothing tells."""
    return next((one for one in (stage.candidate, _release(stage.current)) if one is not None and one != to), None)


def previous(releases: Sequence[Release], than: str) -> tuple[str, ...]:
    """Releases older than that one that could be gone back to, newest first: they held 100 % and were not bad."""
    found = (
        one
        for one in releases
        if one.held_all
        and one.pruned_at is None
        and _newer(than, one.name)
        and one.state not in {ReleaseState.ROLLED_BACK, ReleaseState.FAILED}
    )
    return tuple(one.name for one in sorted(found, key=lambda one: release_number(one.name) or 0, reverse=True))


def undo(environment: str, target: Target, held_all: bool, code_digest: str) -> str:
    """The command line that undoes a rollback.

    held_all: whether the bad release had 100 % before. code_digest: of the code that is quarantined, empty for none.
    """
    if target.bad is None:
        return ""
    env = f"--env {environment}"
    if target.forward:
        return f"manuel-release rollback {env} --to {target.bad}"
    if held_all:
        return f"manuel-release rollback {env} --to {target.bad} --yes"
    start = f"manuel-release canary start {env} --release {target.bad}"
    lift = f'manuel-release quarantine lift {code_digest[:12]} --reason "WHY" && ' if code_digest else ""
    return lift + start


def _release(name: str | None) -> str | None:
    """The name when it is a release's: not `live`, not `none`."""
    return name if name is not None and release_number(name) is not None else None


def _newer(one: str, other: str) -> bool:
    return (release_number(one) or 0) > (release_number(other) or 0)


def _unknown(environment: str, why: str) -> Refusal:
    return Refusal(
        f"nothing was changed: {why}, so there is no release to go back to",
        f"`manuel-release history --env {environment}` lists them; name one: "
        f"`manuel-release rollback --env {environment} --to RELEASE`.",
    )


def _done_already(environment: str, last: tuple[str, str, datetime], now: datetime) -> str:
    bad, to, at = last
    ago = max(0, round((now - at).total_seconds()))
    return (
        f"{bad} was taken back {ago} s ago and {to} serves; to go behind {to} too, name the release: "
        f"`manuel-release rollback --env {environment} --to RELEASE`"
    )
