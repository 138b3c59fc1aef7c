"""Numbers in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from manuel_release.verdict.evidence import ArmNumbers

NAMES = {
    "5xx": "5xx errors",
    "4xx": "4xx errors",
    "latency": "slow requests",
    "query_failures": "failed queries",
    "transcription_failures": "failed transcriptions",
    "throttles": "throttled requests",
    "quota_failures": "quota failures",
}


def name(metric: str) -> str:
    """The metric in words."""
    return NAMES.get(metric, metric.replace("_", " "))


def percent(value: float | None) -> str:
    """A percentage 0-100 with the digits that matter."""
    if value is None:
        return "no requests"
    if value == 0.0 or value >= 10.0:
        return f"{value:.0f} %" if value == round(value) else f"{value:.1f} %"
    return f"{value:.1f} %" if value >= 1.0 else f"{value:.2g} %"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(round(whole / 60), 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def count(value: float) -> str:
    """A count with separators."""
    return f"{round(value):,}"


def odds(e_value: float) -> str:
    """An e-value as odds."""
    if e_value >= 1e6:
        return "more than a million to 1"
    return f"{e_value:,.0f} to 1" if e_value >= 10 else f"{e_value:.1f} to 1"


def share_of(arm: ArmNumbers) -> str:
    """`2.4 % (12 of 500)`, or that there was nothing."""
    if not arm.requests:
        return "no requests"
    return f"{percent(arm.percent)} ({count(arm.events)} of {count(arm.requests)})"
