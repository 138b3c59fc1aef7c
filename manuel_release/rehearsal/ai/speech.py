"""Transcription jobs over recordings that carry, as text, what is said in them.

A recording for rehearsals is a file with the right first bytes in which `SPEECH:` is followed by UTF-8 text up to a NUL
byte or the end; `recording` makes a WAV like that, which is valid (and noise to a listener).
https://docs.aws.amazon.com/transcribe/latest/APIReference/API_StartTranscriptionJob.html
"""

from __future__ import annotations

import json
import struct
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from manuel_release.rehearsal.ai.wire import AwsError

if TYPE_CHECKING:
    from manuel_release.rehearsal.ai.objects import Objects

MARK = b"SPEECH:"
JOB_SECONDS = 0.3
WRONG_FORMAT = "The media format that you specified doesn't match the detected media format."


def recording(text: str) -> bytes:
    """A WAV (16 kHz, 16 bit, mono) in which `text` is said."""
    data = MARK + text.encode() + b"\0"
    data += b"\0" * (len(data) % 2)
    layout = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)
    chunks = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def hears(audio: bytes, media_format: str) -> str | None:
    """What is said in a recording, or None where it is not of that format."""
    right = {"wav": audio[:4] == b"RIFF", "mp4": audio[4:8] == b"ftyp", "webm": audio[:4] == b"\x1a\x45\xdf\xa3"}
    if not right.get(media_format, False):
        return None
    _, _, said = audio.partition(MARK)
    return said.partition(b"\0")[0].decode(errors="replace").strip()


@dataclass
class Job:
    """A job, what comes out of it, and when it is done (time.monotonic)."""

    name: str
    request: dict[str, Any]
    text: str | None
    began: float
    done_at: float


class Transcriptions:
    """All transcription jobs of the account. `seconds`: how long a job takes."""

    def __init__(self, objects: Objects, *, seconds: float = JOB_SECONDS) -> None:
        self._objects = objects
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self.seconds = seconds

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._jobs.clear()

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """One call of the JSON 1.1 API."""
        with self._lock:
            name = request.get("TranscriptionJobName", "")
            if operation == "StartTranscriptionJob":
                return self._start(name, request)
            if operation == "GetTranscriptionJob":
                return self._described(self._job(name))
            if operation == "DeleteTranscriptionJob":
                return self._delete(name)
        raise AwsError(400, "BadRequestException", f"{operation} is not known here.")

    def _job(self, name: str) -> Job:
        if name not in self._jobs:
            raise AwsError(400, "NotFoundException", "The requested job couldn't be found.")
        return self._jobs[name]

    def _start(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        if name in self._jobs:
            raise AwsError(400, "ConflictException", "The requested job name already exists.")
        bucket, key = _place(request["Media"]["MediaFileUri"])
        audio = self._objects.read(bucket, key)
        if audio is None:
            raise AwsError(400, "BadRequestException", "The S3 URI that was provided can't be accessed.")
        text = hears(audio, request.get("MediaFormat", ""))
        job = self._jobs[name] = Job(name, request, text, time.time(), time.monotonic() + self.seconds)
        return self._described(job)

    def _delete(self, name: str) -> dict[str, Any]:
        if name in self._jobs and time.monotonic() < self._jobs[name].done_at:
            raise AwsError(400, "BadRequestException", "The job is in progress and can't be deleted.")
        self._jobs.pop(name, None)
        return {}

    def _described(self, job: Job) -> dict[str, Any]:
        state: dict[str, Any] = {
            "TranscriptionJobName": job.name,
            "TranscriptionJobStatus": "IN_PROGRESS",
            "Media": job.request["Media"],
            "CreationTime": job.began,
        }
        if time.monotonic() >= job.done_at:
            if job.text is None:
                state |= {"TranscriptionJobStatus": "FAILED", "FailureReason": WRONG_FORMAT}
            else:
                bucket, key = job.request["OutputBucketName"], job.request["OutputKey"]
                self._objects.write(bucket, key, _output(job))
                state["TranscriptionJobStatus"] = "COMPLETED"
                state["Transcript"] = {"TranscriptFileUri": f"https://s3.amazonaws.com/{bucket}/{key}"}
        return {"TranscriptionJob": state}


def _place(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.netloc, parts.path.removeprefix("/")


def _output(job: Job) -> bytes:
    results = {"transcripts": [{"transcript": job.text}], "items": []}
    return json.dumps({"jobName": job.name, "status": "COMPLETED", "results": results}).encode()
