"""What a request measures besides itself, collected while it is served and published with its own metrics.

Units are CloudWatch's: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Measures:
    """Metric name -> unit (`Count`, `Milliseconds` or `Seconds`) and value."""

    values: dict[str, tuple[str, float]] = field(default_factory=dict)

    def count(self, name: str, value: float = 1) -> None:
        """Record how many."""
        self.values[name] = ("Count", value)

    def seconds(self, name: str, value: float) -> None:
        """Record how many seconds."""
        self.values[name] = ("Seconds", value)

    @contextmanager
    def milliseconds(self, name: str) -> Iterator[None]:
        """Record how long the block takes, whether it fails or not."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.values[name] = ("Milliseconds", (time.perf_counter() - started) * 1000)
