"""How many requests a release answered, by the metrics that its functions write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model.metric import Metric
from manuel_release.observe.counts import MINUTE, NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from manuel_release.aws import Aws


def observe_requests(aws: Aws, functions: Sequence[str], release: str, since: datetime, until: datetime) -> int:
    """Requests that the release answered, over all functions, in whole minutes; the last seconds may be missing.

    Raises ReleaseError when CloudWatch cannot be asked.
    """
    metrics = [
        Metric(NAMESPACE, "Requests", (("service", name), ("release", release)), "Sum", MINUTE) for name in functions
    ]
    answers = aws.metrics.read(metrics, since.replace(second=0, microsecond=0), until)
    return round(sum(sum(values.values()) for values in answers.values.values()))
