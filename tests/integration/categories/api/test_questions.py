"""Asking by text and by voice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from integration.suites import promises

if TYPE_CHECKING:
    from integration.suites.config import Config
    from integration.suites.contract import Contract
    from integration.suites.person import Person

TYPES = {".wav": "audio/wav", ".mp4": "audio/mp4", ".m4a": "audio/mp4", ".webm": "audio/webm"}


@pytest.mark.basic
def test_without_manuals_nothing_is_known_and_nothing_made_up(person: Person, contract: Contract) -> None:
    before = person.used()
    reply = person.query("Which football club wins tomorrow?")

    promises.well(reply, 200)
    promises.documented(reply, contract)
    assert (reply.json["sources"], reply.json["context_used"]) == ([], 0)
    assert "do not know" in reply.json["answer"]
    assert reply.json["usage"]["daily"]["used"] == before + 1


def test_a_recording_is_written_down(person: Person, contract: Contract, config: Config) -> None:
    if not config.recording:
        pytest.skip("no recording of a person is given (MANUEL_TEST_RECORDING)")
    path, before = Path(config.recording), person.used()

    reply = person.say(path.read_bytes(), TYPES[path.suffix])

    promises.well(reply, 200)
    promises.documented(reply, contract)
    heard = {word.strip("?.,!").lower() for word in reply.json["transcription"].split()}
    said = {word.strip("?.,!").lower() for word in config.recording_says.split()}
    assert len(heard & said) >= 0.7 * len(said), reply
    assert reply.json["usage"]["daily"]["used"] == before + 1
