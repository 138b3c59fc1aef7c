"""What a caller can be told when a request fails: HTTP status, a stable code, one sentence.

    ApiError
    |-- InvalidRequestError         400
    |-- UnauthorizedError           401
    |-- NotFoundError               404
    |-- TooLargeError               413
    |-- QuotaExceededError          429, with Retry-After
    |-- RateLimitedError            429, with Retry-After
    |-- NotConfiguredError          503
    `-- DependencyUnavailableError  503, with Retry-After
        `-- DependencyBusyError

Whatever else is raised becomes a 500 that says nothing about its cause.
"""

from __future__ import annotations

from typing import ClassVar


class ApiError(Exception):
    """A failure that the caller is told about; `retry_after` is in seconds."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class InvalidRequestError(ApiError):
    """The request itself is wrong; sending it again will not help."""

    status = 400
    code = "invalid_request"


class UnauthorizedError(ApiError):
    """No signed-in user came with the request."""

    status = 401
    code = "unauthorized"


class NotFoundError(ApiError):
    """There is no such thing, or it is not the caller's: the answer does not tell which."""

    status = 404
    code = "not_found"


class TooLargeError(ApiError):
    """More bytes than this endpoint takes."""

    status = 413
    code = "too_large"


class QuotaExceededError(ApiError):
    """The caller's daily or monthly quota is used up."""

    status = 429
    code = "quota_exceeded"


class RateLimitedError(ApiError):
    """The caller asks faster than any person would; API Gateway's own throttle answers with the same code."""

    status = 429
    code = "too_many_requests"


class NotConfiguredError(ApiError):
    """This environment has no knowledge base (the template's KnowledgeBaseId is empty); asking again does not help."""

    status = 503
    code = "not_configured"


class DependencyUnavailableError(ApiError):
    """A service behind this one does not answer, or is not asked because it did not answer lately."""

    status = 503
    code = "dependency_unavailable"


class DependencyBusyError(DependencyUnavailableError):
    """It turned the call away without beginning it (throttled, or no connection), so asking again may help."""
