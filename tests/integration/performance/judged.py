"""What a run shows: the limits, the comparison with the release before, and what else has to hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from integration.performance.measured import QUANTILES
from integration.suites.coverage import GATEWAY

from manuel_release.gates.regression import TOLERATED, Judgement, compare, run_to_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from integration.performance.measured import Measurement, Record
    from integration.suites.config import Config

    from manuel_release.gates.regression import Comparison

RUN = "run"  # what belongs to no scenario
FEW = 110  # requests: fewer have no interval of a P95
CHANCE = 0.05  # a few slow requests of a few are more probable than this, and prove nothing
LATE, LATE_SECONDS = 0.1, 2.0  # share of its time, and besides: what takes longer was a smaller load than it says
LIMITS = {0.5: "P50", 0.95: "P95"}


@dataclass(frozen=True)
class Check:
    """Something that was looked at: of which scenario, whether it holds, and one sentence with the numbers.

    unsure: it holds only because nobody could tell; said wherever results are shown.
    """

    scenario: str
    name: str
    passed: bool
    sentence: str
    unsure: bool = False


@dataclass(frozen=True)
class Compared:
    """A quantile of a scenario beside that of the release before.

    spread: of runs by themselves. again: the same after measuring a second time, which a regression has to survive.
    """

    scenario: str
    before: str
    comparison: Comparison
    spread: float
    again: Comparison | None = None

    @property
    def regressed(self) -> bool:
        """Whether it is slower, as often as it was measured."""
        judged = [one for one in (self.comparison, self.again) if one is not None]
        return all(one.judgement is Judgement.REGRESSION for one in judged)

    def as_json(self) -> dict[str, Any]:
        """For performance.json."""
        return {
            "scenario": self.scenario,
            "before": self.before,
            "quantile": self.comparison.quantile,
            "spread": round(self.spread, 4),
            "regressed": self.regressed,
            "measured": [
                {
                    "ratio": None if one.low == 0 else round(one.ratio, 4),
                    "interval": None if one.low == 0 else [round(one.low, 4), round(one.high, 4)],
                    "judgement": one.judgement.value,
                    "missing_requests": one.missing,
                }
                for one in (self.comparison, self.again)
                if one is not None
            ],
        }


def compared(now: Mapping[str, Measurement], before: Record, history: Sequence[Record]) -> list[Compared]:
    """Every scenario that both runs have, at every quantile; history: earlier accepted runs, oldest first."""
    found = []
    for name, measurement in now.items():
        if name not in before.scenarios:
            continue
        for quantile in QUANTILES:
            earlier = [one.scenarios[name].at(quantile) for one in history if one.scenarios.get(name)]
            spread = run_to_run([one for one in earlier if one > 0])
            outcome = compare(measurement.milliseconds, before.scenarios[name].milliseconds, quantile, spread=spread)
            found.append(Compared(name, before.release, outcome, spread))
    return found


def confirmed(first: Sequence[Compared], second: Sequence[Compared]) -> list[Compared]:
    """The first measurement's comparisons with those of the second beside each regression."""
    again = {(one.scenario, one.comparison.quantile): one.comparison for one in second}
    return [
        Compared(
            one.scenario, one.before, one.comparison, one.spread, again.get((one.scenario, one.comparison.quantile))
        )
        if one.regressed
        else one
        for one in first
    ]


def limits(measurements: Mapping[str, Measurement], config: Config) -> list[Check]:
    """The specification's thresholds: P95 and errors of each scenario."""
    return [check for one in measurements.values() for check in (_slow(one, config), _errors(one, config))]


def _slow(one: Measurement, config: Config) -> Check:
    name = f"P95 below {config.p95_seconds:g} s"
    if not one.requests:
        return Check(one.name, name, passed=False, sentence="Nothing was measured.")
    limit, ends, p95 = 1000 * config.p95_seconds, one.interval(0.95), one.at(0.95)
    none = "too few for an interval" if one.requests < FEW else "no interval: slow ones came together"
    doubt = f"{ends[0]:.0f} to {ends[1]:.0f} ms with 95 % confidence" if ends else none
    said = f"95 % of {one.requests} requests took at most {p95:.0f} ms ({doubt}); the limit is {config.p95_seconds:g} s"
    slow = sum(value >= limit for value in one.milliseconds)
    if p95 >= limit and one.requests < FEW and _by_chance(slow, one.requests) > CHANCE:
        why = f"{slow} slow of so few may be chance: cannot tell"
        return Check(one.name, name, passed=True, sentence=f"{said}; {why}.", unsure=True)
    return Check(one.name, name, passed=p95 < limit, sentence=f"{said}.")


def _by_chance(slow: int, requests: int) -> float:
    """How probable so many slow requests, or more, are where just 5 % are slow (binomial tail)."""
    return sum(math.comb(requests, k) * 0.05**k * 0.95 ** (requests - k) for k in range(slow, requests + 1))


def _errors(one: Measurement, config: Config) -> Check:
    name = f"errors below {config.error_percent:g} %"
    if not one.requests:
        return Check(one.name, name, passed=False, sentence="Nothing was measured.")
    if one.failed:
        reasons = ", ".join(f"{count} times {reason}" for reason, count in sorted(one.errors.items()))
        sentence = f"{one.failed} of {one.requests} requests failed ({one.error_percent:.1f} %): {reasons}."
    else:
        unseen = 100 * (1 - 0.05 ** (1 / one.requests))
        sentence = f"None of {one.requests} requests failed; up to {unseen:.1f} % could have stayed unseen."
    return Check(one.name, name, passed=one.error_percent < config.error_percent, sentence=sentence)


def regressions(found: Sequence[Compared]) -> list[Check]:
    """Whether each quantile rose by no more than is tolerated."""
    return [_regression(one) for one in found]


def _regression(one: Compared) -> Check:
    quantile, most = LIMITS[one.comparison.quantile], 100 * (TOLERATED - 1)
    name = f"{quantile} at most {most:.0f} % above {one.before}"
    said = f"{quantile} is {_times(one.comparison)} that of {one.before}"
    if one.again is not None:
        said += f", measured again {_times(one.again)}"
    if one.regressed:
        return Check(one.scenario, name, passed=False, sentence=f"{said}: slower by more than {most:.0f} %.")
    if one.comparison.judgement is Judgement.FINE:
        return Check(one.scenario, name, passed=True, sentence=f"{said}: not slower by more than {most:.0f} %.")
    why = "the second time it was not certain" if one.again is not None else _missing(one.comparison)
    return Check(one.scenario, name, passed=True, sentence=f"{said}: cannot tell; {why}.", unsure=True)


def _times(one: Comparison) -> str:
    return f"{one.ratio:.2f} times ({one.low:.2f} to {one.high:.2f})" if one.low else "not comparable with"


def _missing(one: Comparison) -> str:
    if not one.low:
        return "too few requests for an interval, or slow ones that came together"
    if one.missing is None:
        return "runs differ too much by themselves for more requests to decide it"
    return f"about {one.missing} more requests in each run would"


def no_baseline(profile: str) -> Check:
    """Said, and passed: there is nothing to compare a first release with."""
    sentence = f"No baseline: no other release has passed in the {profile} profile. This one is recorded as the first."
    return Check(RUN, "not slower than the release before", passed=True, sentence=sentence, unsure=True)


def made(seconds: float, late: float, unfinished: int) -> Check:
    """Whether everything was sent in its time (seconds; `late`: how much longer it took) and ended."""
    said = f"the last request was sent {late:.1f} s after its time, of {seconds:.0f} s" if late >= 1 else "sent in time"
    sentence = f"Load: {said}; {unfinished} requests never ended."
    return Check(
        RUN, "the load was made", passed=late <= LATE * seconds + LATE_SECONDS and not unfinished, sentence=sentence
    )


def released(expected: str, releases: Mapping[str, int]) -> Check:
    """Whether one release answered, and the expected one if one is."""
    ours = {name: count for name, count in releases.items() if name != GATEWAY}
    told = ", ".join(f"{count} from {name}" for name, count in sorted(ours.items())) or "none"
    passed = set(ours) == ({expected} if expected else set(ours)) and len(ours) == 1
    wanted = expected or "one release"
    return Check(RUN, "release", passed=passed, sentence=f"{wanted} was expected to answer; answers: {told}.")


def clean(leftovers: Sequence[str]) -> Check:
    """Whether everything that was made is deleted again."""
    sentence = (
        f"Still there: {'; '.join(leftovers)}." if leftovers else "Every user and manual that was made is deleted."
    )
    return Check(RUN, "nothing is left behind", passed=not leftovers, sentence=sentence)
