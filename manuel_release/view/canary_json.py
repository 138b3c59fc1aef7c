"""A canary and replays as documents for scripts; pure. The rules are those of as_json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.view.as_json import SCHEMA_VERSION, Document, time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from manuel_release.model.canary import CanaryStatus
    from manuel_release.verdict import ArmNumbers, Breach, Signal, Verdict, WorstCase
    from manuel_release.verdict.evidence import Totals
    from manuel_release.verdict.replay import Replay, ReplaySummary
    from manuel_release.verdict.selftest import SelfTest


def canary(status: CanaryStatus) -> Document:
    """The answer of `canary status`, and a line of `canary watch`."""
    verdict = status.verdict
    return {
        "schema_version": SCHEMA_VERSION,
        "environment": status.environment,
        "api_stage": status.api_stage,
        "release": status.release,
        "stable_release": status.stable_release,
        "desired_percent": status.desired_percent,
        "actual_percent": _rounded(status.actual_percent),
        "step": status.step,
        "started_at": time(status.started_at),
        "observed_seconds": _rounded(status.observed_seconds),
        "verdict": _verdict(verdict),
        "arms": {
            "stable": _arm(verdict.stable if verdict else None, status.stable_p95_ms),
            "canary": _arm(verdict.canary if verdict else None, status.canary_p95_ms),
        },
        "blast_radius": {
            "canary_requests": verdict.canary.requests if verdict else 0,
            "canary_failures": verdict.canary.errors_5xx if verdict else 0,
        },
        "worst_case": _worst(status.worst_case),
        "doubts": list(status.doubts),
        "ended": status.ended,
        "drift": status.drift,
        "extended_until": time(status.extended_until),
        "lease_holder": status.held_by or None,
        "next_look_at": time(status.next_look_at),
        "next_command": status.next_command,
    }


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)


def _verdict(verdict: Verdict | None) -> Document:
    if verdict is None:
        return {
            "value": "cannot_tell_yet",
            "sentence": "Cannot tell yet: no interval is over.",
            "missing_requests": None,
            "missing_seconds": None,
            "hold": False,
            "signals": [],
            "breaches": [],
            "investigate": [],
        }
    return {
        "value": verdict.word.replace(" ", "_"),
        "sentence": verdict.sentence,
        "missing_requests": verdict.missing_requests,
        "missing_seconds": _rounded(verdict.missing_seconds),
        "hold": verdict.hold,
        "signals": [_signal(signal) for signal in verdict.signals],
        "breaches": [_breach(breach) for breach in verdict.breaches],
        "investigate": list(verdict.investigate),
    }


def _signal(signal: Signal) -> Document:
    return {
        "metric": signal.metric,
        "finding": signal.finding.value,
        "stable": _numbers(signal.stable),
        "canary": _numbers(signal.canary),
        "window_seconds": _rounded(signal.window_seconds),
        "e_value": float(f"{signal.e_value:.6g}"),
        "threshold": _rounded(signal.threshold),
        "p_value": float(f"{signal.p_value:.6g}"),
        "towards_bad_percent": _rounded(100.0 * signal.towards_bad),
        "towards_good_percent": None if signal.towards_good is None else _rounded(100.0 * signal.towards_good),
        "missing_requests": signal.missing_requests,
        "sentence": signal.sentence,
    }


def _numbers(numbers: ArmNumbers) -> Document:
    return {
        "requests": numbers.requests,
        "events": numbers.events,
        "percent": _rounded(numbers.percent),
        "p95_ms": _rounded(numbers.p95_ms),
    }


def _breach(breach: Breach) -> Document:
    return {
        "limit": breach.limit,
        "canary_value": _rounded(breach.canary_value),
        "stable_value": _rounded(breach.stable_value),
        "threshold": breach.threshold,
        "window_seconds": breach.window_seconds,
        "shared": breach.shared,
        "rolls_back": breach.rolls_back,
        "sentence": breach.sentence,
    }


def _arm(totals: Totals | None, p95_ms: float | None) -> Document:
    return {
        "requests": totals.requests if totals else 0,
        "errors_4xx": totals.errors_4xx if totals else 0,
        "errors_5xx": totals.errors_5xx if totals else 0,
        "p95_ms": _rounded(p95_ms),
    }


def _worst(worst: WorstCase | None) -> Document | None:
    if worst is None:
        return None
    return {
        "next_percent": worst.next_percent,
        "seconds": worst.seconds,
        "failure_percent_at_most": _rounded(worst.failure_percent_at_most),
        "failed_requests_at_most": worst.failed_requests_at_most,
        "confidence_percent": worst.confidence_percent,
        "sentence": worst.sentence,
    }


def replays(found: Iterable[Replay], summary: ReplaySummary | None) -> Document:
    """The answer of `canary replay`; `summary` is None where nobody said which releases were bad."""
    return {
        "schema_version": SCHEMA_VERSION,
        "releases": [_replay(one) for one in found],
        "summary": None
        if summary is None
        else {
            "bad": summary.bad,
            "bad_stopped": summary.bad_stopped,
            "good": summary.good,
            "good_stopped": summary.good_stopped,
            "failures_spared": summary.failures_spared,
            "sentence": summary.sentence,
        },
    }


def _replay(one: Replay) -> Document:
    return {
        "release": one.release,
        "value": one.verdict.word.replace(" ", "_"),
        "sentence": one.verdict.sentence,
        "stopped_at_seconds": _rounded(one.stopped_at),
        "good_at_seconds": _rounded(one.good_at),
        "canary_failures_before": one.failures_before,
        "canary_failures_after": one.failures_after,
    }


def self_test(found: SelfTest) -> Document:
    """The answer of `canary replay --self-test`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "runs": found.runs,
        "false_alarms": found.false_alarms,
        "good": found.good,
        "percent": _rounded(found.percent),
        "low_percent": _rounded(found.low_percent),
        "high_percent": _rounded(found.high_percent),
        "alpha_percent": found.alpha_percent,
        "holds": found.holds,
        "sentence": found.sentence,
    }
