"""`GET /health`: whether this release answers, and with `?deep=1` whether what it needs answers too.

The shallow answer touches nothing and imports no AWS client, so that it is quick even from a cold start.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import manuel
from manuel.http import Request, Response
from manuel.service import Service
from manuel.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel.models import Probe

PROBE_SECONDS = 1.0


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return service().serve(event, context)


@cache
def service() -> Service:
    """The function's routes, made once per sandbox."""
    settings = Settings.read()
    return Service(settings, {"GET /health": lambda request: _health(request, settings)})


def _health(request: Request, settings: Settings) -> Response:
    answer: dict[str, Any] = {
        "status": "healthy",
        "release": settings.release,
        "version": manuel.__version__,
        "environment": settings.environment,
    }
    if request.query.get("deep") not in {"1", "true"}:
        return Response(200, answer)
    probes = _probe(settings)
    healthy = all(probe.up for probe in probes)
    answer["status"] = "healthy" if healthy else "unhealthy"
    answer["dependencies"] = [
        {"name": probe.name, "status": "up" if probe.up else "down", "seconds": round(probe.seconds, 3)}
        for probe in probes
    ]
    return Response(200 if healthy else 503, answer)


def _probe(settings: Settings) -> list[Probe]:
    from manuel.store import probes  # noqa: PLC0415  (boto3 costs a second of cold start)

    found = [
        probes.dynamodb(settings.usage_table, seconds=PROBE_SECONDS),
        probes.s3(settings.manuals_bucket, seconds=PROBE_SECONDS),
    ]
    if settings.knowledge_base:  # an environment without one does not depend on Bedrock
        found.append(probes.bedrock(settings.knowledge_base, seconds=PROBE_SECONDS))
    return found
