"""The judge over recorded releases: would it have stopped these, when, and what would that have saved?

A recording is a CSV with a header and one row per arm and interval:

    release,t,arm,weight,requests,errors_4xx,errors_5xx,hist,complete,queries,query_failures
    r-13,-10,stable,0,180,2,0,3 90 70 15 2,1,60,1
    r-13,10,canary,0.1,21,0,1,0 11 8 1 1,1,7,0

`t` is in seconds since the canary started, `arm` is stable or canary, `weight` is the canary's share 0-1, and `hist`
has latency counts separated by spaces. `release`, `hist` and `complete` may be absent; every other column is a counter,
and an empty field was not measured. Rows of the stable arm alone up to 0 are warm-up. An arm without a row is missing
data.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.verdict.counts import ArmCounts
from manuel_release.verdict.evidence import Value, Verdict
from manuel_release.verdict.judge import Judge
from manuel_release.verdict.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

ARMS = ("stable", "canary")
KNOWN = ("release", "t", "arm", "weight", "requests", "errors_4xx", "errors_5xx", "hist", "complete")
BUSINESS = ("query_failures", "transcription_failures", "quota_failures", "quota_violations")
"""Counters that are judged when a recording has them; throttles and function errors are 5xx already."""
NEEDED = ("t", "arm", "weight", "requests", "errors_4xx", "errors_5xx")


@dataclass(frozen=True, slots=True)
class RecordedInterval:
    """Both arms at `t` seconds; None where nothing was recorded."""

    t: float
    stable: ArmCounts | None
    canary: ArmCounts | None


@dataclass(frozen=True, slots=True)
class Recording:
    """One release: warm-up of the stable arm, then both arms, ascending in time."""

    release: str
    warmup: tuple[RecordedInterval, ...]
    intervals: tuple[RecordedInterval, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """What the judge says of one recording.

    `verdict` is the roll back, or the last verdict without one; `good_at` the first time it said good. Failures are
    5xx of the canary, up to the decision and after it.
    """

    release: str
    verdict: Verdict
    stopped_at: float | None
    good_at: float | None
    failures_before: int
    failures_after: int

    @property
    def stopped(self) -> bool:
        """Whether the judge would have rolled it back."""
        return self.stopped_at is not None


@dataclass(frozen=True, slots=True)
class ReplaySummary:
    """Several replays against what people know now: releases that were bad, and the others."""

    bad: int
    bad_stopped: int
    good: int
    good_stopped: int
    failures_spared: int
    sentence: str


def read_csv(lines: Iterable[str]) -> tuple[Recording, ...]:
    """Read recordings; raises ValueError with the line number when a row cannot be read."""
    rows = csv.DictReader(lines)
    absent = [name for name in NEEDED if name not in (rows.fieldnames or ())]
    if absent:
        message = f"the recording has no column {', '.join(absent)}"
        raise ValueError(message)
    found: dict[str, dict[float, dict[str, ArmCounts]]] = {}
    for row in rows:
        try:
            release, t, arm, counts = _row(row)
        except (ValueError, TypeError) as error:
            message = f"line {rows.line_num} of the recording cannot be read: {error}"
            raise ValueError(message) from error
        arms = found.setdefault(release, {}).setdefault(t, {})
        if arm in arms:
            message = f"line {rows.line_num} of the recording repeats {arm} at {t:g} s of {release or 'the release'}"
            raise ValueError(message)
        arms[arm] = counts
    return tuple(_recording(release, times) for release, times in found.items())


def _row(row: dict[str, str]) -> tuple[str, float, str, ArmCounts]:
    if row["arm"] not in ARMS:
        message = f"arm is {row['arm']!r}, not stable or canary"
        raise ValueError(message)
    counts = ArmCounts(
        requests=int(row["requests"]),
        errors_4xx=int(row["errors_4xx"]),
        errors_5xx=int(row["errors_5xx"]),
        hist=tuple(map(int, (row.get("hist") or "").split())),
        weight=float(row["weight"]),
        counters={name: int(value) for name, value in row.items() if name not in KNOWN and value},
        complete=row.get("complete") not in {"0", "false", "False"},
    )
    return row.get("release") or "", float(row["t"]), row["arm"], counts


def _recording(release: str, times: dict[float, dict[str, ArmCounts]]) -> Recording:
    intervals = [RecordedInterval(t, arms.get("stable"), arms.get("canary")) for t, arms in sorted(times.items())]
    before = tuple(i for i in intervals if i.t <= 0.0 and i.canary is None)
    return Recording(release, before, tuple(i for i in intervals if i not in before))


def write_csv(recordings: Iterable[Recording]) -> Iterator[str]:
    """The lines of a CSV that read_csv understands, without line ends."""
    recordings = tuple(recordings)
    rows = [
        (recording.release, interval.t, arm, counts)
        for recording in recordings
        for interval in (*recording.warmup, *recording.intervals)
        for arm, counts in zip(ARMS, (interval.stable, interval.canary), strict=True)
        if counts is not None
    ]
    counters = sorted({name for *_, counts in rows for name in counts.counters})
    yield ",".join((*KNOWN, *counters))
    for release, t, arm, counts in rows:
        fields = [release, f"{t:g}", arm, f"{counts.weight:g}"]
        fields += [str(value) for value in (counts.requests, counts.errors_4xx, counts.errors_5xx)]
        fields += [" ".join(map(str, counts.hist)), str(int(counts.complete))]
        fields += [str(counts.counters.get(name, "")) for name in counters]
        yield ",".join(fields)


def replay(
    recording: Recording,
    alpha: float = 0.01,
    settings: Settings | None = None,
    each: Callable[[Verdict], None] | None = None,
) -> Replay:
    """Feed a recording to a new judge; `each` is called with the verdict after every interval.

    Without `settings` the judge has the defaults and looks at the business counters that the recording has. Raises
    ValueError when the recording has no interval to judge.
    """
    judge = Judge(alpha, settings or Settings(business=_recorded_business(recording)))
    for interval in recording.warmup:
        judge.warmup(interval.t, interval.stable)
    final: Verdict | None = None
    good_at: float | None = None
    before = after = 0
    for interval in recording.intervals:
        failures = interval.canary.errors_5xx if interval.canary is not None else 0
        stopped = final is not None and final.value is Value.ROLLBACK
        before, after = (before, after + failures) if stopped else (before + failures, after)
        verdict = judge.update(interval.t, interval.stable, interval.canary)
        if each is not None:
            each(verdict)
        if not stopped:
            final = verdict
        if verdict.value is Value.PROMOTE and good_at is None:
            good_at = verdict.t
    if final is None:
        message = f"the recording of {recording.release or 'the release'} has no interval to judge"
        raise ValueError(message)
    stopped_at = final.decided_at if final.value is Value.ROLLBACK else None
    return Replay(recording.release, final, stopped_at, good_at, before, after)


def _recorded_business(recording: Recording) -> tuple[str, ...]:
    """The judged counters that the canary's arm has in any interval."""
    names = {name for interval in recording.intervals if interval.canary for name in interval.canary.counters}
    return tuple(name for name in BUSINESS if name in names)


def summarise(replays: Iterable[Replay], bad_releases: Collection[str]) -> ReplaySummary:
    """How many of the releases known to be bad would have been stopped, and how many of the others."""
    replays = tuple(replays)
    bad = [one for one in replays if one.release in bad_releases]
    good = [one for one in replays if one.release not in bad_releases]
    bad_stopped, good_stopped = sum(one.stopped for one in bad), sum(one.stopped for one in good)
    spared = sum(one.failures_after for one in bad if one.stopped)
    sentence = (
        f"Of {len(bad)} bad releases {bad_stopped} would have been stopped, sparing {spared:,} failed requests; "
        f"of {len(good)} good ones {good_stopped} would have been stopped for nothing."
    )
    return ReplaySummary(len(bad), bad_stopped, len(good), good_stopped, spared, sentence)
