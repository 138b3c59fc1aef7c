"""A patient, and a machine without tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.doctor.patient import Patient, Tools

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Patient:
    folder = tmp_path / "service"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Patient(folder)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    monkeypatch.setenv("MANUEL_ENVS", str(tmp_path / "envs"))
    monkeypatch.setenv("PATH", "/nowhere")
    return Tools(tmp_path / "envs")
