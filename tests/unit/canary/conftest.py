from __future__ import annotations

import pytest
from unit.canary.canary_world import CanaryWorld


@pytest.fixture
def world(tmp_path, monkeypatch) -> CanaryWorld:
    return CanaryWorld(tmp_path / "artifact", monkeypatch)
