from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rollback_world import Production

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Production:
    return Production(tmp_path, monkeypatch)
