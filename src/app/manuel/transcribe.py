"""`POST /api/transcribe`: what is said in a recording."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from manuel.errors import InvalidRequestError
from manuel.http import Request, Response
from manuel.logic import quota, recordings
from manuel.models import Limits, Transcript
from manuel.service import Service
from manuel.settings import Settings
from manuel.store.rate_limit import limiter
from manuel.store.transcription import TranscriptionStore
from manuel.store.usage import UsageStore

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY_BYTES = recordings.MAX_BYTES // 3 * 4 + 1024
CLEANUP_SECONDS = 6.0  # kept back from the waiting, for reading the result and deleting what was made


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return service().serve(event, context)


@cache
def service() -> Service:
    """The function's routes, made once per sandbox."""
    settings = Settings.read()
    endpoint = Endpoint(
        store=TranscriptionStore(settings.audio_bucket, settings.environment),
        usage=UsageStore(settings.usage_table),
        limits=Limits(settings.daily_quota, settings.monthly_quota),
        secure=settings.advanced_security,
    )
    return Service(settings, {"POST /api/transcribe": endpoint.transcribe}, limiter(settings))


@dataclass(frozen=True)
class Endpoint:
    """What the route needs; a recording counts as one operation of the caller's quota, unless we fail on it."""

    store: TranscriptionStore
    usage: UsageStore
    limits: Limits
    secure: bool

    def transcribe(self, request: Request) -> Response:
        """The text, and what the caller has used with it."""
        user_id = request.user_id
        body = request.json_object(at_most=MAX_BODY_BYTES if self.secure else None)
        recording = recordings.parse(body, check_content=self.secure)
        now = datetime.now(UTC)
        usage = self.usage.take(user_id, now, self.limits)
        request.measures.count("TranscriptionSuccess", 0)
        try:
            with request.measures.milliseconds("TranscriptionDuration"):
                heard = self.store.transcribed(user_id, recording, request.deadline - CLEANUP_SECONDS)
        except Exception:
            self.usage.give_back(user_id, now)
            raise
        self._check(heard)
        request.measures.count("TranscriptionSuccess", 1)
        return Response(200, {"transcription": heard.text, "usage": quota.report(usage, self.limits, now)})

    def _check(self, heard: Transcript) -> None:
        if heard.failure:
            raise InvalidRequestError("The recording could not be transcribed: it is damaged or of another type.")
