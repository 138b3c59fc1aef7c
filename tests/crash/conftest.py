"""One embedded AWS and one service for each worker, and the seed of what is drawn by lot."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from crash.crash_world import CrashWorld
from emulator.gateway_world import World

from manuel_release.rehearsal.process import EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator


SEED = os.environ.get("MANUEL_CRASH_SEED", "")


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrashWorld]:
    folder = tmp_path_factory.mktemp("crash")
    options = Options(shift_seconds_per_minute=1.0)
    with (
        EmbeddedCloud.start(folder / "cloud", options) as cloud,
        World(cloud) as world,
        CrashWorld(world, folder) as made,
    ):
        yield made


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """MANUEL_CRASH_SEED, else pytest-randomly's, else the day."""
    drawn = SEED or request.config.getoption("randomly_seed", None) or f"{datetime.now(UTC):%Y%m%d}"
    sys.stderr.write(f"MANUEL_CRASH_SEED={drawn}\n")
    return int(drawn)
