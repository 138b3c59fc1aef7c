"""Embedded metric format: datapoints inside log events.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html:
every directive, every dimension set, single values and arrays, StorageResolution 1 or 60, and the document's own
timestamp.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_VALUES = 100
MOST_DIMENSIONS = 30


@dataclass(frozen=True)
class Datapoint:
    """Values of one metric with one set of dimensions; timestamp in seconds since 1970."""

    namespace: str
    name: str
    dimensions: dict[str, str]
    values: tuple[float, ...]
    unit: str
    resolution: int
    timestamp: float


def datapoints(message: str) -> list[Datapoint]:
    """All datapoints that a log message carries; none when it is not a valid document of this format."""
    if '"_aws"' not in message or '"CloudWatchMetrics"' not in message:
        return []
    try:
        document = json.loads(message)
        metadata = document["_aws"]
        timestamp = metadata["Timestamp"] / 1000
        return [
            point
            for directive in metadata["CloudWatchMetrics"]
            for point in _of_directive(document, directive, timestamp)
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _of_directive(document: dict[str, Any], directive: dict[str, Any], timestamp: float) -> Iterator[Datapoint]:
    for keys in directive.get("Dimensions") or [[]]:
        if len(keys) > MOST_DIMENSIONS:
            raise ValueError(keys)
        dimensions = {key: str(document[key]) for key in keys}
        for metric in directive["Metrics"]:
            found = document.get(metric["Name"])
            if found is None:
                continue
            values = found if isinstance(found, list) else [found]
            if len(values) > MOST_VALUES or not all(
                isinstance(value, int | float) and not isinstance(value, bool) for value in values
            ):
                raise ValueError(found)
            yield Datapoint(
                namespace=directive["Namespace"],
                name=metric["Name"],
                dimensions=dimensions,
                values=tuple(map(float, values)),
                unit=metric.get("Unit", "None"),
                resolution=int(metric.get("StorageResolution", 60)),
                timestamp=timestamp,
            )
