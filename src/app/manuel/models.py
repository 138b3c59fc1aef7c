"""The nouns of the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Limits:
    """How many operations a user may do in a UTC day and in a UTC month."""

    daily: int
    monthly: int


@dataclass(frozen=True)
class Usage:
    """How many operations a user did in the current UTC day and month."""

    daily: int
    monthly: int


@dataclass(frozen=True)
class Manual:
    """A manual that a user uploaded."""

    manual_id: str
    file_name: str
    content_type: str
    size_bytes: int
    uploaded_at: datetime


@dataclass(frozen=True)
class Upload:
    """A permission to upload one file: the caller sends exactly these headers to the URL within the given seconds."""

    method: str
    url: str
    headers: dict[str, str]
    expires_in_seconds: int


@dataclass(frozen=True)
class Probe:
    """Whether a dependency answered, and how many seconds that took."""

    name: str
    up: bool
    seconds: float


@dataclass(frozen=True)
class Passage:
    """A piece of one of the caller's manuals that may hold the answer; a higher score is a better match."""

    text: str
    manual_id: str
    file_name: str
    score: float


@dataclass(frozen=True)
class Completion:
    """What a model wrote, and how many tokens it read and wrote."""

    text: str
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Transcript:
    """What became of a transcription: the text, or why there is none."""

    text: str
    failure: str = ""
