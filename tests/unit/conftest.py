"""What every unit test gets."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine remembers nothing of other tests, and whoever runs them keeps their own cache as it is."""
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)
