"""`/api/manuals`: list, upload, read, download and delete; only the caller's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from manuel.errors import InvalidRequestError
from manuel.http import Request, Response
from manuel.logic import content, manuals, quota
from manuel.logic.manuals import FetchRequest
from manuel.models import Limits
from manuel.service import Service
from manuel.settings import Settings
from manuel.store.manuals import LINK_SECONDS, ManualStore
from manuel.store.rate_limit import limiter
from manuel.store.source import SourceReader
from manuel.store.usage import UsageStore

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY_BYTES = 16 * 1024


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return service().serve(event, context)


@cache
def service() -> Service:
    """The function's routes, made once per sandbox."""
    settings = Settings.read()
    endpoint = Endpoint(
        manuals=ManualStore(settings.manuals_bucket),
        usage=UsageStore(settings.usage_table),
        limits=Limits(settings.daily_quota, settings.monthly_quota),
        max_body_bytes=MAX_BODY_BYTES if settings.advanced_security else None,
        check_content=settings.advanced_security,
    )
    return Service(settings, endpoint.routes(), limiter(settings))


@dataclass(frozen=True)
class Endpoint:
    """What the routes need; an upload counts as one operation of the caller's quota."""

    manuals: ManualStore
    usage: UsageStore
    limits: Limits
    max_body_bytes: int | None
    check_content: bool = False
    source: SourceReader = field(default_factory=SourceReader)

    def routes(self) -> dict[str, Any]:
        """Method and path to what answers them."""
        return {
            "GET /api/manuals": self.page,
            "POST /api/manuals/upload": self.upload,
            "GET /api/manuals/{manual_id}": self.read,
            "GET /api/manuals/{manual_id}/download": self.download,
            "DELETE /api/manuals/{manual_id}": self.delete,
        }

    def page(self, request: Request) -> Response:
        """A page of the caller's manuals."""
        found, last = self.manuals.page(
            request.user_id,
            limit=manuals.page_size(request.query.get("limit")),
            after=manuals.position(request.query.get("cursor")),
        )
        body = {"manuals": [manuals.describe(m) for m in found], "next_cursor": manuals.cursor(last) if last else None}
        return Response(200, body)

    def upload(self, request: Request) -> Response:
        """A permission to upload a file, or a file fetched from where the caller says."""
        user_id = request.user_id
        wanted = manuals.parse_upload(request.json_object(at_most=self.max_body_bytes))
        if isinstance(wanted, FetchRequest):
            return self._fetch(user_id, wanted)
        now = datetime.now(UTC)
        usage = self.usage.take(user_id, now, self.limits)
        manual_id = manuals.new_id(now)
        upload = self.manuals.upload_link(user_id, manual_id, wanted)
        body = {"manual_id": manual_id, "upload": manuals.describe_upload(upload)}
        return Response(201, {**body, "usage": quota.report(usage, self.limits, now)})

    def _fetch(self, user_id: str, wanted: FetchRequest) -> Response:
        now = datetime.now(UTC)
        self.usage.require(user_id, now, self.limits)
        fetched = self.source.fetch(wanted.source_url, max_bytes=manuals.MAX_FETCHED_BYTES)
        if not fetched.content:
            raise InvalidRequestError("source_url gave an empty file.")
        name = wanted.file_name or manuals.checked_name(fetched.file_name)
        suffix = PurePosixPath(name).suffix.lower()
        if self.check_content and not content.document(suffix, fetched.content[: content.HEAD_BYTES]):
            raise InvalidRequestError(f"source_url gave no {suffix} file.")
        usage = self.usage.take(user_id, now, self.limits)  # an address that gives nothing costs the caller nothing
        manual = self.manuals.write(user_id, manuals.new_id(now), name, fetched.content, now)
        body = {"manual_id": manual.manual_id, "manual": manuals.describe(manual)}
        return Response(201, {**body, "usage": quota.report(usage, self.limits, now)})

    def read(self, request: Request) -> Response:
        """One manual's description. API Gateway caches it (template.yaml), so it holds nothing that expires."""
        manual = self.manuals.read(request.user_id, request.path.get("manual_id", ""))
        return Response(200, {"manual": manuals.describe(manual)})

    def download(self, request: Request) -> Response:
        """A short-lived link to one manual's bytes."""
        manual = self.manuals.read(request.user_id, request.path.get("manual_id", ""))
        link = self.manuals.download_link(request.user_id, manual)
        return Response(200, {"url": link, "expires_in_seconds": LINK_SECONDS})

    def delete(self, request: Request) -> Response:
        """Delete one manual."""
        self.manuals.delete(request.user_id, request.path.get("manual_id", ""))
        return Response(204)
