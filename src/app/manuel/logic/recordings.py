"""Recordings of questions: what they may be, and where they are kept for the minutes of their transcription."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from dataclasses import dataclass
from typing import Any

from manuel.errors import InvalidRequestError, TooLargeError
from manuel.logic import content
from manuel.models import Transcript

# Of the formats that Amazon Transcribe takes, those in which phones and browsers record:
# https://docs.aws.amazon.com/transcribe/latest/dg/how-input.html
FORMATS = {"audio/mp4": "mp4", "audio/wav": "wav", "audio/webm": "webm"}
# Lambda takes events of up to 6 MB, and base64 makes 4 out of 3.
MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Recording:
    """Audio, in a format as Transcribe calls it."""

    audio: bytes
    media_format: str


def parse(body: dict[str, Any], *, check_content: bool) -> Recording:
    """The recording; raises InvalidRequestError or TooLargeError. `check_content` looks at its first bytes."""
    unknown = sorted(set(body) - {"audio_data", "content_type"})
    if unknown:
        raise InvalidRequestError(f"Unknown field: {', '.join(unknown)}.")
    content_type, data = body.get("content_type"), body.get("audio_data")
    plain = content_type.split(";")[0].strip().lower() if isinstance(content_type, str) else ""  # less `;codecs=opus`
    if plain not in FORMATS:
        raise InvalidRequestError(f"content_type must be one of {', '.join(FORMATS)}.")
    if not isinstance(data, str) or not data:
        raise InvalidRequestError("audio_data must be base64 text that is not empty.")
    if len(data) > (MAX_BYTES + 2) // 3 * 4:
        raise TooLargeError(f"A recording may have at most {MAX_BYTES} bytes.")
    try:
        audio = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequestError("audio_data is not valid base64.") from None
    if check_content and not content.audio(FORMATS[plain], audio):
        raise InvalidRequestError(f"audio_data does not hold {plain}.")
    return Recording(audio, FORMATS[plain])


def new_id() -> str:
    """A recording's id, which nobody can guess."""
    return secrets.token_hex(16)


def audio_key(user_id: str, recording_id: str, media_format: str) -> str:
    """Where a recording is kept."""
    return f"recordings/{user_id}/{recording_id}.{media_format}"


def transcript_key(user_id: str, recording_id: str) -> str:
    """Where Transcribe puts what it heard."""
    return f"transcripts/{user_id}/{recording_id}.json"


def transcript(output: bytes) -> Transcript:
    """What Transcribe's output file says.

    https://docs.aws.amazon.com/transcribe/latest/dg/how-input.html#how-output
    """
    found = json.loads(output)["results"]["transcripts"]
    return Transcript(" ".join(one["transcript"] for one in found).strip())
