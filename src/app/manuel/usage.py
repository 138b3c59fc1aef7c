"""`GET /api/usage`, also as `/api/user/usage` and `/api/user/quota`: what the caller used and may use."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from manuel.http import Request, Response
from manuel.logic import quota
from manuel.models import Limits
from manuel.service import Service
from manuel.settings import Settings
from manuel.store.rate_limit import limiter
from manuel.store.usage import UsageStore

if TYPE_CHECKING:
    from collections.abc import Mapping

PATHS = ("/api/usage", "/api/user/usage", "/api/user/quota")


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return service().serve(event, context)


@cache
def service() -> Service:
    """The function's routes, made once per sandbox."""
    settings = Settings.read()
    store = UsageStore(settings.usage_table)
    limits = Limits(settings.daily_quota, settings.monthly_quota)

    def read(request: Request) -> Response:
        now = datetime.now(UTC)
        return Response(200, quota.report(store.read(request.user_id, now), limits, now))

    return Service(settings, {f"GET {path}": read for path in PATHS}, limiter(settings))
