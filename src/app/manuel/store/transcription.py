"""Transcription jobs over the audio bucket: upload, start, wait, read, and leave nothing behind.

https://docs.aws.amazon.com/transcribe/latest/APIReference/API_StartTranscriptionJob.html
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions

from manuel.errors import DependencyUnavailableError
from manuel.logic import recordings
from manuel.models import Transcript
from manuel.store.clients import Dependency, config

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

    from manuel.logic.recordings import Recording

ATTEMPT_SECONDS = 2.0
ATTEMPTS = 3
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 2.0
RETRY_AFTER_SECONDS = 15
DONE = {"COMPLETED", "FAILED"}


@dataclass(frozen=True)
class Job:
    """A transcription job, and the objects that it reads and writes."""

    name: str
    audio_key: str
    transcript_key: str


@dataclass(frozen=True)
class TranscriptionStore:
    """The audio bucket and Amazon Transcribe; job names begin with `manuel-<environment>-`."""

    bucket: str
    environment: str
    files: Dependency = field(default_factory=lambda: Dependency("The audio store"))
    transcribe: Dependency = field(default_factory=lambda: Dependency("The transcription", attempts=ATTEMPTS))
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    s3: S3Client = field(default_factory=lambda: boto3.client("s3", config=config(seconds=ATTEMPT_SECONDS)))
    client: Any = field(
        default_factory=lambda: boto3.client("transcribe", config=config(seconds=ATTEMPT_SECONDS, attempts=1))
    )

    def transcribed(self, user_id: str, recording: Recording, deadline: float) -> Transcript:
        """What is said in a recording; raises DependencyUnavailableError, also when `deadline` comes first."""
        made = recordings.new_id()
        job = Job(
            f"manuel-{self.environment}-{made}",
            recordings.audio_key(user_id, made, recording.media_format),
            recordings.transcript_key(user_id, made),
        )
        try:
            self.files.call(lambda: self.s3.put_object(Bucket=self.bucket, Key=job.audio_key, Body=recording.audio))
            self._start(job, recording.media_format)
            return self._result(job, self._finished(job, deadline))
        finally:
            self._forget(job)

    def _start(self, job: Job, media_format: str) -> None:
        self.transcribe.call(
            lambda: self.client.start_transcription_job(
                TranscriptionJobName=job.name,
                IdentifyLanguage=True,
                MediaFormat=media_format,
                Media={"MediaFileUri": f"s3://{self.bucket}/{job.audio_key}"},
                OutputBucketName=self.bucket,
                OutputKey=job.transcript_key,
            )
        )

    def _finished(self, job: Job, deadline: float) -> dict[str, Any]:
        wait = FIRST_WAIT_SECONDS
        while True:
            if self.clock() + wait > deadline:
                raise DependencyUnavailableError(
                    "The transcription takes too long at the moment.", retry_after=RETRY_AFTER_SECONDS
                )
            self.sleep(wait)
            wait = min(LONGEST_WAIT_SECONDS, wait * 1.5)
            answer = self.transcribe.call(lambda: self.client.get_transcription_job(TranscriptionJobName=job.name))
            state: dict[str, Any] = answer["TranscriptionJob"]
            if state["TranscriptionJobStatus"] in DONE:
                return state

    def _result(self, job: Job, state: dict[str, Any]) -> Transcript:
        if state["TranscriptionJobStatus"] == "FAILED":
            return Transcript("", failure=state.get("FailureReason") or "unknown")
        answer = self.files.call(lambda: self.s3.get_object(Bucket=self.bucket, Key=job.transcript_key))
        return recordings.transcript(answer["Body"].read())

    def _forget(self, job: Job) -> None:
        """Delete what the job was about; what cannot be deleted now expires with the bucket's rule, after a day."""
        failures = (botocore.exceptions.ClientError, DependencyUnavailableError)
        with contextlib.suppress(*failures):  # a job that still runs cannot be deleted
            self.transcribe.call(lambda: self.client.delete_transcription_job(TranscriptionJobName=job.name))
        for key in (job.audio_key, job.transcript_key):
            with contextlib.suppress(*failures):
                self.files.call(lambda key=key: self.s3.delete_object(Bucket=self.bucket, Key=key))  # type: ignore[misc]
