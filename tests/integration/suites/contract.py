"""The API's contract as the suites use it: which routes there are, and what each may answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from integration.suites import template

if TYPE_CHECKING:
    from pathlib import Path

# Status to the codes that the service gives with it (src/app/manuel/errors.py); a unit test compares the two.
CODES = {
    400: ("invalid_request",),
    401: ("unauthorized",),
    404: ("not_found",),
    413: ("too_large",),
    429: ("quota_exceeded", "too_many_requests"),
    503: ("dependency_unavailable",),
}
# Which dependency has to fail before a route answers 503.
DEPENDENCIES = {
    ("GET", "/health"): "bedrock-agent",
    ("POST", "/api/query"): "bedrock-runtime",
    ("POST", "/api/transcribe"): "transcribe",
    ("GET", "/api/usage"): "dynamodb",
    ("GET", "/api/user/usage"): "dynamodb",
    ("GET", "/api/user/quota"): "dynamodb",
    ("POST", "/api/manuals/upload"): "dynamodb",
    ("GET", "/api/manuals"): "s3",
    ("GET", "/api/manuals/{manual_id}"): "s3",
    ("DELETE", "/api/manuals/{manual_id}"): "s3",
    ("GET", "/api/manuals/{manual_id}/download"): "s3",
}


@dataclass(frozen=True, order=True)
class Answer:
    """One thing that the contract says can happen: a route answers with a status and, for an error, with a code."""

    method: str
    path: str
    status: int
    code: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}{' ' + self.code if self.code else ''}"


@dataclass(frozen=True)
class Contract:
    """The OpenAPI document and what follows from it."""

    document: dict[str, Any]
    patterns: dict[tuple[str, str], re.Pattern[str]] = field(init=False)

    def __post_init__(self) -> None:
        patterns = {
            (method, path): re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))
            for method, path in template.operations(self.document)
        }
        object.__setattr__(self, "patterns", patterns)

    @classmethod
    def read(cls, path: Path) -> Contract:
        """The contract in a template; raises ConfigError."""
        return cls(template.document(path))

    @property
    def operations(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Method and path to the operation."""
        return template.operations(self.document)

    @property
    def signed_in(self) -> list[tuple[str, str]]:
        """The routes that need a token."""
        return [route for route, operation in self.operations.items() if operation.get("security")]

    def route(self, method: str, path: str) -> tuple[str, str] | None:
        """The route that answers a request for `path` (without query); a fixed path wins over one with a variable."""
        found = [route for route, pattern in self.patterns.items() if route[0] == method and pattern.fullmatch(path)]
        return min(found, key=lambda route: route[1].count("{"), default=None)

    def answers(self, *, advanced_security: bool) -> set[Answer]:
        """Everything that can happen in an environment; without advanced security nobody is called too fast."""
        found = set()
        for (method, path), operation in self.operations.items():
            for status in map(int, operation["responses"]):
                for code in _codes(method, path, status):
                    if code != "too_many_requests" or advanced_security:
                        found.add(Answer(method, path, status, code))
        return found

    def schema(self, method: str, path: str, status: int) -> dict[str, Any] | None:
        """The JSON Schema of a documented answer's body, None where it has none; raises KeyError for others."""
        content = self.operations[(method, path)]["responses"][str(status)].get("content", {})
        if not content:
            return None
        whole = {**content["application/json"]["schema"], "components": self.document["components"]}
        found: dict[str, Any] = _draft(whole)
        return found


def _draft(value: Any) -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema says it."""
    if isinstance(value, list):
        return [_draft(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    made = {name: _draft(inner) for name, inner in value.items() if name != "nullable"}
    if value.get("nullable") is True:
        made["type"] = [value["type"], "null"]
    return made


def _codes(method: str, path: str, status: int) -> tuple[str, ...]:
    """The codes with which a route may give a status; a bad health is no error, and only POST counts operations.

    Health has no caller to limit: there only API Gateway says 429, to everybody together, which no suite provokes.
    """
    if (path, status) == ("/health", 429):
        return ()
    if path == "/health" or status not in CODES:
        return ("",)
    return tuple(code for code in CODES[status] if code != "quota_exceeded" or method == "POST")
