"""Reading latency histograms: quantiles in milliseconds and shares beyond a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def quantile_ms(hist: Sequence[float], edges_ms: Sequence[float], share: float) -> float | None:
    """The latency in milliseconds below which `share` (0-1) of `hist` lies, interpolated within its bucket.

    `edges_ms` are upper edges, ascending; buckets beyond them are open and give their lower edge. None without counts
    or without edges.
    """
    total = sum(hist)
    if not total or not edges_ms:
        return None
    wanted = share * total
    reached = 0.0
    for bucket, number in enumerate(hist):
        if number and reached + number >= wanted:
            if bucket >= len(edges_ms):
                break
            low = edges_ms[bucket - 1] if bucket else 0.0
            return low + (edges_ms[bucket] - low) * (wanted - reached) / number
        reached += number
    return float(edges_ms[-1])


def beyond(hist: Sequence[int], bucket: int) -> int:
    """Counts in buckets after `bucket`."""
    return sum(hist[bucket + 1 :])


def share_beyond(hist: Sequence[float], reference: Sequence[float], share: float) -> float:
    """The share (0-1) of `hist` beyond the `share` quantile of `reference`, splitting the bucket that holds it."""
    total = sum(hist)
    wanted = share * sum(reference)
    reached = 0.0
    above = float(total)
    for number, base in zip(hist, reference, strict=True):
        if base and reached + base >= wanted:
            above -= number * (wanted - reached) / base
            break
        above -= number
        reached += base
    return above / total if total else 0.0
