"""What comes out: a verdict is a value with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Value(StrEnum):
    """What the tool should do now."""

    ROLLBACK = "rollback"
    CONTINUE = "continue"
    PROMOTE = "promote"

    @property
    def word(self) -> str:
        """The verdict in words: bad, good or cannot tell yet."""
        return _WORDS[self]


_WORDS = {Value.ROLLBACK: "bad", Value.CONTINUE: "cannot tell yet", Value.PROMOTE: "good"}


class Finding(StrEnum):
    """What one signal says."""

    BAD = "bad"
    IMMATERIAL = "immaterial"
    """The canary is proven worse, by less than what matters: reported, not rolled back."""
    GOOD = "good"
    """The canary is proven not to be worse by the margin."""
    UNCLEAR = "cannot_tell_yet"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True)
class ArmNumbers:
    """One arm in one window: requests, how many of them were events of the signal, and P95 where edges are known."""

    requests: int
    events: int
    p95_ms: float | None = None

    @property
    def percent(self) -> float | None:
        """Events per 100 requests; None without requests."""
        return 100.0 * self.events / self.requests if self.requests else None


@dataclass(frozen=True, slots=True)
class Signal:
    """One metric's evidence.

    `e_value` says how many times better "the canary is worse" has predicted the labels than chance did; at `threshold`
    or more the signal is decided, whenever that happens. `p_value` is the anytime-valid p of the whole release.
    `stable` and `canary` are the numbers from `since` for `window_seconds`: the stretch in which the evidence grew.
    `towards_bad` and `towards_good` run from 0 to 1; the latter is None where the signal has no part in *good*.
    `missing_requests` are canary requests until *good* if both arms go on alike. `phi` above 1 means that events come
    in runs of users that stay on one arm, and that so many count as one.
    """

    metric: str
    finding: Finding
    stable: ArmNumbers
    canary: ArmNumbers
    since: float
    window_seconds: float
    e_value: float
    threshold: float
    p_value: float
    towards_bad: float
    towards_good: float | None
    missing_requests: int | None
    phi: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Split:
    """Whether the router sends the canary what its weight says, over the time at this weight; percentages 0-100."""

    desired_percent: float
    actual_percent: float | None
    e_value_low: float
    e_value_high: float
    threshold: float
    investigate: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Breach:
    """The canary breaks one of the specification's absolute limits; `shared` when the stable arm's numbers do too."""

    limit: str
    canary_value: float
    stable_value: float | None
    threshold: float
    window_seconds: float
    shared: bool
    rolls_back: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Totals:
    """One arm since the canary began: what users got (the blast radius, for the canary's arm)."""

    requests: int = 0
    errors_4xx: int = 0
    errors_5xx: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer after one interval.

    `missing_requests` and `missing_seconds`: canary requests, and time at the present rate, until *good* if the canary
    is as good as the stable arm; 0 when it is good, None when it is bad or the counts do not allow an estimate.
    `investigate` are sentences for a person that decide nothing; `hold` says that a shared incident forbids promotion.
    """

    value: Value
    sentence: str
    t: float
    weight_percent: float
    signals: tuple[Signal, ...]
    breaches: tuple[Breach, ...]
    split: Split
    investigate: tuple[str, ...]
    hold: bool
    missing_requests: int | None
    missing_seconds: float | None
    stable: Totals
    canary: Totals
    decided_at: float | None

    @property
    def word(self) -> str:
        """Bad, good or cannot tell yet."""
        return self.value.word


@dataclass(frozen=True, slots=True)
class WorstCase:
    """What the next step costs at most, if the canary is as bad as the counts still allow."""

    next_percent: float
    seconds: float
    failure_percent_at_most: float
    failed_requests_at_most: int
    confidence_percent: float
    sentence: str
