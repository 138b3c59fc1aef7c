"""Whether the sources of counts agree; where they do not, nothing may be called good; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.observe.counts import MINUTE, api_failures, interval_counts, minute_counts, served, unseen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manuel_release.observe.counts import ArmSource, Known, Source

STRADDLING = 3
"""Requests that one source counts in one minute and the other in the next."""
TOLERATED_SHARE = 0.02
STRAY_FAILURES = 2
STRAY_SHARE = 0.001
"""API Gateway's own failures (its time-out, the authoriser) belong to no arm; a canary cannot be blamed for so few."""


@dataclass(frozen=True)
class Disagreement:
    """Two sources that count different things; the sentence says which and how many."""

    sentence: str


def disagreements(known: Known, source: Source, minutes: Sequence[int]) -> tuple[Disagreement, ...]:
    """Compare the sources over whole minutes (their beginnings, seconds since 1970), all of them together.

    A function that writes embedded metrics in neither arm is left out: it serves no requests of the API.
    """
    found = []
    for function in source.functions:
        seen = [sum(served(known, source, arm, function, minute) for minute in minutes) for arm in source.arms]
        if any(seen):
            for arm, number in zip(source.arms, seen, strict=True):
                found.append(_of_function(known, arm, function, minutes, number))
    found.append(_of_api(known, source, minutes))
    return tuple(Disagreement(sentence) for sentence in found if sentence)


def _of_function(known: Known, arm: ArmSource, function: str, minutes: Sequence[int], seen: int) -> str:
    counted = [minute_counts(known, arm, function, minute) for minute in minutes]
    ended = sum(one.invocations - one.errors for one in counted)
    if abs(ended - seen) <= max(STRADDLING, TOLERATED_SHARE * max(ended, seen)):
        return ""
    return (
        f"{function}:{arm.alias} ended {ended} invocations by AWS/Lambda and served {seen} requests "
        f"by its own metrics of {arm.release}."
    )


def stray_failures(known: Known, source: Source, minutes: Sequence[int]) -> tuple[int, int, int]:
    """The API's 5xx, those that the arms account for, and the requests of both arms."""
    failed = sum(api_failures(known, source, minute) for minute in minutes)
    explained = requests = 0
    for arm in source.arms:
        for minute in minutes:
            hidden = unseen(known, source, arm, minute)
            explained, requests = explained + hidden.errors_5xx, requests + hidden.requests
            for at in range(minute, minute + MINUTE, source.interval_seconds):
                counts = interval_counts(known, source, arm, at)
                explained, requests = explained + counts.errors_5xx, requests + counts.requests
    return failed, explained, requests


def is_stray(failed: int, explained: int, requests: int) -> bool:
    """Whether the API failed more often than the arms account for, by more than happens without a canary's fault."""
    return failed - explained > max(STRAY_FAILURES, STRAY_SHARE * requests)


def _of_api(known: Known, source: Source, minutes: Sequence[int]) -> str:
    failed, explained, requests = stray_failures(known, source, minutes)
    if not is_stray(failed, explained, requests):
        return ""
    return f"The API failed {failed} times, and the functions of both arms account for {explained}."
