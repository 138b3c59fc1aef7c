"""POST /api/transcribe: what is said in a recording."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import boto3
import pytest
from functions.backing import AUDIO_BUCKET, TABLE
from functions.events import ALICE, Answer, call, proxy_event
from functions.metrics import published
from manuel import transcribe
from manuel.logic import content, recordings

from manuel_release.rehearsal.ai import speech

if TYPE_CHECKING:
    from functions.ai_world import Ai

HELLO = speech.recording("How do I descale the kettle?")
MP4 = b"\0\0\0\x18ftypM4A \0\0\0\0" + speech.MARK + b"from a phone\0"
WEBM = b"\x1a\x45\xdf\xa3" + speech.MARK + b"from a browser\0"


def say(audio: bytes | str = HELLO, content_type: object = "audio/wav", *, seconds: float = 28.0) -> Answer:
    data = audio if isinstance(audio, str) else base64.b64encode(audio).decode()
    body = {"audio_data": data, "content_type": content_type}
    return call(transcribe.handler, proxy_event("POST", "/api/transcribe", user=ALICE, body=body), seconds=seconds)


def kept() -> int:
    return int(boto3.client("s3").list_objects_v2(Bucket=AUDIO_BUCKET)["KeyCount"])


def counted() -> list[int]:
    return [int(item["month"]["N"]) for item in boto3.client("dynamodb").scan(TableName=TABLE)["Items"]]


@pytest.fixture(params=["true", "false"])
def security(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANUEL_ADVANCED_SECURITY", request.param)


@pytest.mark.parametrize(
    ("audio", "content_type", "text"),
    [
        (HELLO, "audio/wav", "How do I descale the kettle?"),
        (MP4, "audio/mp4", "from a phone"),
        (WEBM, "audio/webm;codecs=opus", "from a browser"),
    ],
)
@pytest.mark.usefixtures("ai", "security")
def test_a_recording_is_written_down(audio: bytes, content_type: str, text: str) -> None:
    answer = say(audio, content_type)

    assert answer.status == 200
    assert answer.json["transcription"] == text
    assert answer.json["usage"]["daily"]["used"] == 1


def test_neither_job_nor_recording_nor_transcript_is_kept(ai: Ai) -> None:
    assert say().status == 200

    assert kept() == 0
    assert ai.services.transcriptions._jobs == {}


def test_a_job_that_takes_too_long_is_503_with_retry_after_and_costs_nothing(ai: Ai) -> None:
    ai.services.transcriptions.seconds = 600.0

    answer = say(seconds=transcribe.CLEANUP_SECONDS + 1.0)

    assert (answer.status, answer.error["code"]) == (503, "dependency_unavailable")
    assert answer.headers["Retry-After"] == "15"
    assert counted() == [0]
    assert kept() == 0


@pytest.mark.parametrize("fault", ["throttle_percent", "error_percent"])
def test_transcribe_in_trouble_is_503_and_costs_nothing(ai: Ai, fault: str) -> None:
    ai.services.faults.plan("transcribe", {fault: 100})

    answer = say()

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert counted() == [0]
    assert kept() == 0


def test_a_recording_that_transcribe_cannot_read_is_the_callers_fault(
    ai: Ai, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = say(MP4, "audio/wav")

    assert (answer.status, answer.error["code"]) == (400, "invalid_request")
    assert published(capsys)["TranscriptionSuccess"] == 0


def test_metrics_tell_duration_and_success(ai: Ai, capsys: pytest.CaptureFixture[str]) -> None:
    say()

    metrics = published(capsys)
    assert metrics["TranscriptionSuccess"] == 1
    assert metrics["TranscriptionDuration"] > 0


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(("audio", "content_type"), [(MP4, "audio/wav"), (HELLO, "audio/mp4"), (HELLO, "audio/webm")])
def test_with_advanced_security_the_first_bytes_must_be_of_the_type(
    monkeypatch: pytest.MonkeyPatch, audio: bytes, content_type: str
) -> None:
    monkeypatch.setenv("MANUEL_ADVANCED_SECURITY", "true")

    answer = say(audio, content_type)

    assert answer.status == 400
    assert counted() == []


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("content_type", ["audio/mpeg", "", None, 7, "audio/wavx"])
def test_other_types_are_refused(content_type: object) -> None:
    assert say(HELLO, content_type).status == 400


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("data", ["", "%%%", "A", "ä"])
def test_what_is_no_base64_is_refused(data: str) -> None:
    assert say(data).status == 400


@pytest.mark.usefixtures("aws")
def test_too_many_bytes_are_413() -> None:
    limit = recordings.MAX_BYTES

    assert say(b"\0" * (limit + 3)).status == 413
    assert recordings.parse(
        {"audio_data": base64.b64encode(b"\0" * limit).decode(), "content_type": "audio/wav"}, check_content=False
    )


@pytest.mark.usefixtures("aws")
def test_nobody_signed_in_gets_401() -> None:
    assert call(transcribe.handler, proxy_event("POST", "/api/transcribe")).status == 401


@pytest.mark.parametrize(
    ("suffix", "head", "right"),
    [
        (".pdf", b"\n\n%PDF-1.7", True),
        (".pdf", b"<html>", False),
        (".docx", b"PK\x03\x04...", True),
        (".xls", b"PK\x03\x04...", False),
        (".txt", b"plain", True),
        (".md", b"MZ\x90\0\x03", False),
        (".txt", b"\xff\xfeA\0", True),
    ],
)
def test_a_manuals_first_bytes_tell_its_type(suffix: str, head: bytes, right: bool) -> None:
    assert content.document(suffix, head) is right
