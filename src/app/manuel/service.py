"""From an API Gateway event to a response: find the route, call it, turn every failure into the API's error format."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from manuel.errors import ApiError, NotFoundError
from manuel.http import Request, Response
from manuel.observability import Observer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from manuel.settings import Settings

    Route = Callable[[Request], Response]
    Limiter = Callable[[Request], None]

UNEXPECTED = "Something went wrong on our side. Quote the request id when you report it."


@dataclass(frozen=True)
class Service:
    """The routes of one function; a route's key is its method and path, such as `GET /health`.

    limiter: asked before each signed-in request; raises RateLimitedError for one too many.
    """

    settings: Settings
    routes: Mapping[str, Route]
    limiter: Limiter | None = None
    observer: Observer = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "observer", Observer(self.settings))

    def serve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Answer one event. Never raises: what goes wrong becomes a response that tells no internals."""
        started = time.perf_counter()
        request = Request(method="", route="", request_id=context.aws_request_id)
        code: str | None = None
        try:
            left = context.get_remaining_time_in_millis() / 1000
            request = Request.from_event(event, fallback_id=context.aws_request_id, seconds=left)
            route = self._route(request)
            if self.limiter is not None and request.subject:
                self.limiter(request)
            response = route(request)
        except ApiError as error:
            code = error.code
            response = _failure(error, request.request_id)
        except Exception as error:
            self.observer.failed(request, error)
            code = ApiError.code
            response = _failure(ApiError(UNEXPECTED), request.request_id)
        milliseconds = (time.perf_counter() - started) * 1000
        self.observer.served(request, status=response.status, code=code, milliseconds=milliseconds)
        return response.to_event(self.settings, request.request_id)

    def _route(self, request: Request) -> Route:
        try:
            return self.routes[f"{request.method} {request.route}"]
        except KeyError:
            raise NotFoundError("There is no such endpoint.") from None


def _failure(error: ApiError, request_id: str) -> Response:
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    body = {"error": {"code": error.code, "message": error.message, "request_id": request_id}}
    return Response(error.status, body, headers)
