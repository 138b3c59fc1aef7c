"""Runs as they may have been measured."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from integration.performance.measured import Measurement, Record
from integration.suites.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable


def latencies(seed: int, count: int, factor: float = 1.0) -> tuple[float, ...]:
    draw = random.Random(seed)
    return tuple(round(factor * 100 * draw.lognormvariate(0, 0.3), 2) for _ in range(count))


@pytest.fixture
def config() -> Config:
    return Config(environment="staging", profile="full", url="https://api.example.com/staging")


@pytest.fixture
def record() -> Callable[..., Record]:
    def make(release: str, *, seed: int = 1, count: int = 400, factor: float = 1.0, **changed: object) -> Record:
        members = {
            "environment": "staging",
            "profile": "full",
            "commit": "abc",
            "started_at": f"2026-11-{int(release.removeprefix('r-')):02}T10:00:00Z",
            "ok": True,
            "scenarios": {"query": Measurement("query", latencies(seed, count, factor))},
            **changed,
        }
        return Record(release=release, **members)  # type: ignore[arg-type]

    return make
