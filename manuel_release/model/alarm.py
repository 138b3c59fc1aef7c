"""The alarms of one release: `manuel-<environment>-r-<n>-<signal>`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel_release.model.metric import Metric


class Signal(StrEnum):
    """What an alarm of a release watches; the value is the end of its name."""

    SERVER_ERRORS = "5xx"
    FUNCTION_ERRORS = "function-errors"  # by the alias of the release
    LIVE_FUNCTION_ERRORS = "live-function-errors"  # by the alias `live`, on the release's versions
    LATENCY = "latency"
    THROTTLES = "dynamodb-throttles"
    SERVER_ERROR_RATE = "5xx-rate"
    SLOWNESS = "slowness"
    QUERY_SUCCESS = "query-success"
    TRANSCRIPTION_FAILURES = "transcription-failures"
    QUOTA_FAILURES = "quota-failures"
    CLIENT_ERROR_RATE = "4xx-rate"


class Comparison(StrEnum):
    """When a value breaks the threshold; CloudWatch's words."""

    ABOVE = "GreaterThanThreshold"
    AT_LEAST = "GreaterThanOrEqualToThreshold"
    BELOW = "LessThanThreshold"


@dataclass(frozen=True)
class AlarmDefinition:
    """A metric math alarm; a period without data does not break the threshold.

    expression: over the ids of `metrics`. periods: how many in a row must break the threshold; their length in seconds
    is the metrics'.
    """

    name: str
    signal: Signal
    description: str
    expression: str
    metrics: Mapping[str, Metric]
    comparison: Comparison
    threshold: float
    periods: int = 1


@dataclass(frozen=True)
class ReleaseAlarm:
    """What the name of a release's alarm says; environment is the short name (`prod`)."""

    environment: str
    release: str
    signal: Signal

    @property
    def name(self) -> str:
        """The alarm's name."""
        return f"{prefix(self.environment, self.release)}{self.signal}"


_NAME = re.compile(r"manuel-(?P<environment>[a-z0-9]+)-(?P<release>r-[1-9][0-9]*)-(?P<signal>[0-9a-z-]+)\Z")


def prefix(environment: str, release: str) -> str:
    """What the names of all alarms of a release begin with, and those of no other release."""
    return f"manuel-{environment}-{release}-"


def parse(name: str) -> ReleaseAlarm | None:
    """What an alarm's name says; None when it is no alarm of a release."""
    found = _NAME.match(name)
    if found is None or found["signal"] not in tuple(Signal):
        return None
    return ReleaseAlarm(found["environment"], found["release"], Signal(found["signal"]))
