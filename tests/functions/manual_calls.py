"""Calls of /api/manuals, and what their answers hold."""

from __future__ import annotations

import urllib.parse
from typing import Any

from functions.events import Answer, call, proxy_event
from manuel import manuals


def upload(user: str, **body: Any) -> Answer:
    wanted = body or {"file_name": "kettle.pdf", "size_bytes": 5}
    return call(manuals.handler, proxy_event("POST", "/api/manuals/upload", user=user, body=wanted))


def listing(user: str, **query: str) -> Answer:
    return call(manuals.handler, proxy_event("GET", "/api/manuals", user=user, query=query or None))


def one(method: str, manual_id: str, user: str, *, ending: str = "") -> Answer:
    resource = "/api/manuals/{manual_id}" + ending
    return call(manuals.handler, proxy_event(method, resource, user=user, path={"manual_id": manual_id}))


def key_of(url: str) -> str:
    return urllib.parse.unquote(urllib.parse.urlsplit(url).path).removeprefix("/")


def signed(url: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
