"""The embedded AWS starts on the ministack that its patches know, and on no other."""

from __future__ import annotations

import subprocess

import pytest
from tests_root import ROOT

from manuel_release import programs

pytestmark = pytest.mark.emulator

PROGRAM = """
import types
from manuel_release.rehearsal.emulator import guard
guard.PINNED = {pinned!r}
print("\\n".join(guard.complaints([types.SimpleNamespace(REQUIRES={requires!r}, install=lambda: None)])))
"""


def complaints(requires: dict[str, tuple[str, ...] | None], pinned: str = "1.5.33") -> list[str]:
    done = subprocess.run(
        [str(programs.program("emulator", "python")), "-c", PROGRAM.format(requires=requires, pinned=pinned)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip().splitlines()


def test_what_is_as_expected_raises_no_complaint() -> None:
    assert complaints({"ministack.core.responses.get_region": (), "ministack.core.responses": None}) == []


def test_another_version_is_named() -> None:
    assert complaints({}, "1.5.32") == ["ministack 1.5.33 is installed, the rehearsal knows 1.5.32."]


def test_every_difference_is_said_at_once() -> None:
    found = complaints(
        {
            "ministack.core.responses.get_country": (),
            "ministack.core.responses.get_region": ("country",),
            "ministack.core.nothing.at_all": None,
            "ministack.app.AUTH": (),
        }
    )

    assert found == [
        "ministack.core.responses.get_country is gone.",
        "ministack.core.responses.get_region takes (), expected ('country',).",
        "ministack.core.nothing.at_all is gone.",
        "ministack.app.AUTH is not callable any more.",
    ]
