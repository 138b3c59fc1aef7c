"""From the signals of one moment to one value and one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from manuel_release.verdict import wording
from manuel_release.verdict.evidence import Breach, Finding, Signal, Split, Totals, Value, Verdict
from manuel_release.verdict.settings import LimitsMode

SUSPICION = 3.0
"""Nothing is called good while some signal's share of alpha times its evidence is this large."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a ruling needs; `canary_per_second` is the present rate of canary requests."""

    t: float
    weight: float
    signals: tuple[Signal, ...]
    breaches: tuple[Breach, ...]
    split: Split
    canary_per_second: float
    incomplete: bool
    mode: LimitsMode
    alpha: float
    stable: Totals
    canary: Totals


def rule(now: Situation, before: Verdict | None) -> Verdict:
    """Decide; a roll back once ruled stays ruled, whatever the numbers do while traffic is being moved."""
    hold = now.mode is LimitsMode.SHARED and any(breach.shared for breach in now.breaches)
    fault, objection = _fault(now), _objection(now, hold=hold)
    decided_at = before.decided_at if before is not None else None
    if before is not None and before.value is Value.ROLLBACK:
        value, sentence = Value.ROLLBACK, before.sentence
    elif fault is not None:
        value, sentence, decided_at = Value.ROLLBACK, fault, now.t
    elif objection is not None:
        value, sentence, decided_at = Value.CONTINUE, objection, None
    else:
        value, sentence = Value.PROMOTE, _praise(now)
        decided_at = now.t if decided_at is None else decided_at
    missing, seconds = _missing(now, value)
    return Verdict(
        value=value,
        sentence=sentence,
        t=now.t,
        weight_percent=100.0 * now.weight,
        signals=now.signals,
        breaches=now.breaches,
        split=now.split,
        investigate=_investigate(now),
        hold=hold,
        missing_requests=missing,
        missing_seconds=seconds,
        stable=now.stable,
        canary=now.canary,
        decided_at=decided_at,
    )


def _fault(now: Situation) -> str | None:
    """Why the canary has to go."""
    for signal in now.signals:
        if signal.finding is Finding.BAD:
            return signal.sentence
    return next((breach.sentence for breach in now.breaches if breach.rolls_back), None)


def _objection(now: Situation, *, hold: bool) -> str | None:
    """Why the canary cannot be called good yet."""
    if now.incomplete:
        return "Cannot tell yet: counts of an arm are missing, late or contradict each other."
    if not 0.0 < now.weight < 1.0:
        return "Cannot tell: there are not two arms with traffic to compare."
    if hold:
        shared = next(breach for breach in now.breaches if breach.shared)
        return f"Held, a shared incident: {shared.sentence}"
    suspect = max(now.signals, key=lambda signal: _suspicion(signal, now.alpha))
    if _suspicion(suspect, now.alpha) >= SUSPICION:
        return f"{suspect.sentence[:-1]}; it leans to bad ({wording.odds(suspect.e_value)} against chance)."
    unproven = [signal for signal in now.signals if not _good_enough(signal)]
    return max(unproven, key=_distance).sentence if unproven else None


def _praise(now: Situation) -> str:
    proofs = [signal for signal in now.signals if signal.towards_good is not None]
    shown = "; ".join(
        f"{wording.name(s.metric)} {wording.share_of(s.canary)} against {wording.share_of(s.stable)}" for s in proofs
    )
    return f"The canary is not worse than the stable arm by a margin that matters: {shown}."


def _suspicion(signal: Signal, alpha: float) -> float:
    return 0.0 if signal.finding is Finding.IMMATERIAL else signal.e_value / (signal.threshold * alpha)


def _good_enough(signal: Signal) -> bool:
    return signal.finding is not Finding.NO_DATA and (signal.towards_good is None or signal.towards_good >= 1.0)


def _distance(signal: Signal) -> float:
    return float("inf") if signal.finding is Finding.NO_DATA else float(signal.missing_requests or 0)


def _missing(now: Situation, value: Value) -> tuple[int | None, float | None]:
    if value is Value.PROMOTE:
        return 0, 0.0
    proofs = [signal for signal in now.signals if signal.towards_good is not None]
    known = [signal.missing_requests for signal in proofs if signal.missing_requests is not None]
    if value is Value.ROLLBACK or len(known) < len(proofs):
        return None, None
    missing = max(known)
    return missing, missing / now.canary_per_second if now.canary_per_second else None


def _investigate(now: Situation) -> tuple[str, ...]:
    sentences = [now.split.sentence] if now.split.investigate else []
    for signal in now.signals:
        if signal.finding is Finding.IMMATERIAL:
            sentences.append(signal.sentence)
        if signal.phi > 1.0:
            sentences.append(
                f"{wording.name(signal.metric).capitalize()} come in runs on one arm, as if users stayed on it: "
                f"{signal.phi:.1f} count as one."
            )
    sentences += [breach.sentence for breach in now.breaches if not breach.rolls_back]
    return tuple(sentences)
