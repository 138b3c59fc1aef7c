"""From one signal's numbers to its finding and its sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.verdict import wording
from manuel_release.verdict.evidence import ArmNumbers, Finding, Signal

if TYPE_CHECKING:
    from manuel_release.verdict.promotion import NonInferiority
    from manuel_release.verdict.stretch import Sums


@dataclass(frozen=True, slots=True)
class Facts:
    """One signal after an interval: `highest` is the largest e-value so far, `share` its part of alpha."""

    metric: str
    measured: bool
    material: bool
    sums: Sums
    e_value: float
    highest: float
    threshold: float
    share: float
    proof: NonInferiority | None
    phi: float
    stable_p95_ms: float | None = None
    canary_p95_ms: float | None = None


def describe(facts: Facts, target: float, stable_per_canary: float | None) -> Signal:
    """The evidence as a value.

    `target` is the log e-value that *good* needs, `stable_per_canary` the stable arm's requests for one of the canary,
    None when there are not two arms.
    """
    target *= facts.phi
    proof = facts.proof
    towards_good = min(1.0, max(0.0, proof.shown / target)) if proof else None
    proven_worse = facts.highest >= facts.threshold
    bad = facts.e_value >= facts.threshold and facts.material
    if not facts.measured:
        finding = Finding.NO_DATA
    elif proven_worse:
        finding = Finding.BAD if bad else Finding.IMMATERIAL
    else:
        finding = Finding.GOOD if towards_good == 1.0 else Finding.UNCLEAR
    sums = facts.sums
    missing = None
    if proof is not None and stable_per_canary is not None and finding not in {Finding.BAD, Finding.NO_DATA}:
        missing = proof.missing_requests(target, stable_per_canary)
    stable = ArmNumbers(sums.stable_requests, sums.stable_events, facts.stable_p95_ms)
    canary = ArmNumbers(sums.canary_requests, sums.canary_events, facts.canary_p95_ms)
    return Signal(
        metric=facts.metric,
        finding=finding,
        stable=stable,
        canary=canary,
        since=sums.since if sums.seconds else 0.0,
        window_seconds=sums.seconds,
        e_value=facts.e_value,
        threshold=facts.threshold,
        p_value=min(1.0, 1.0 / (facts.share * facts.highest)),
        towards_bad=1.0 if proven_worse else math.log(max(1.0, facts.e_value)) / math.log(facts.threshold),
        towards_good=towards_good,
        missing_requests=missing,
        phi=facts.phi,
        sentence=_sentence(facts, finding, stable, canary, missing),
    )


def _sentence(facts: Facts, finding: Finding, stable: ArmNumbers, canary: ArmNumbers, missing: int | None) -> str:
    spoken = wording.name(facts.metric)
    numbers = f"{spoken} {wording.share_of(canary)} on the canary against {wording.share_of(stable)} on stable"
    if stable.p95_ms is not None and canary.p95_ms is not None:
        numbers += f", P95 {wording.count(canary.p95_ms)} ms against {wording.count(stable.p95_ms)} ms,"
    numbers += f" in {wording.duration(facts.sums.seconds)}"
    odds = f"{wording.odds(facts.highest)} against chance, limit {wording.odds(facts.threshold)}"
    match finding:
        case Finding.BAD:
            return f"The canary is worse: {numbers} ({odds})."
        case Finding.IMMATERIAL:
            return f"The canary is worse, but too little to matter: {numbers} ({odds})."
        case Finding.GOOD:
            return f"The canary is not worse: {numbers}."
        case Finding.UNCLEAR:
            need = f"; good needs about {wording.count(missing)} more canary requests" if missing else ""
            return f"Cannot tell yet: {numbers}{need}."
        case Finding.NO_DATA:
            return f"Cannot tell yet: no data on {spoken}."
