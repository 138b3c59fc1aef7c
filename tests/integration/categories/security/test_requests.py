"""Paths, methods and headers that mean to reach something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from integration.suites import promises

if TYPE_CHECKING:
    from integration.suites.client import Client
    from integration.suites.person import Person

PATHS = [
    "/api/manuals/../usage",
    "/api/manuals/..%2fusage",
    "/api/manuals/%2e%2e%2fusage",
    "/api/manuals/..%5c..%5cetc%5cpasswd",
    "/api/manuals/%252e%252e%252f",
    "/api/manuals/%00",
    "/api/manuals/%c0%ae%c0%ae%2f",
    "/api/manuals/..;/usage",
    "/api/manuals/;/x",
    "/api/manuals/" + "a" * 2000,
    "/api/manuals/" + "0" * 31,
    "/api/manuals/" + "0" * 33,
    "/api/manuals/" + "G" * 32,
    "/API/USAGE",
    "/api/usage%20",
    "/api/usage/",
    "/.env",
    "/.git/config",
    "/admin",
]


@pytest.mark.basic
@pytest.mark.parametrize("path", PATHS)
def test_a_crooked_path_reaches_nothing(person: Person, path: str) -> None:
    """API Gateway may straighten a path, so the caller's own usage is no harm; anything of others would be."""
    reply = person.ask("GET", path)

    promises.harmless(reply, 200, 400, 401, 404, 414)
    if reply.status == 200:
        assert reply.json["daily"]["used"] == person.used(), f"not the caller's own usage: {reply}"


@pytest.mark.smoke
@pytest.mark.parametrize("method", ["BREW", "TRACE", "CONNECT", "PROPFIND", "PUT", "PATCH", "get", "X" * 300])
def test_an_absurd_method_reaches_nothing(client: Client, method: str) -> None:
    reply = client.send(method, "/api/usage")

    assert 400 <= reply.status < 500 or reply.status == 501, reply
    promises.discreet(reply)


@pytest.mark.basic
@pytest.mark.parametrize(
    "header",
    [
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Original-URL", "/health"),
        ("X-Rewrite-URL", "/health"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", "localhost"),
        ("X-Amzn-Trace-Id", "Root=1-00000000-000000000000000000000000"),
        ("X-User-Id", "somebody-else"),
        ("X-Amz-Security-Token", "x"),
    ],
)
def test_a_header_does_not_replace_the_token_or_the_route(
    client: Client, person: Person, header: tuple[str, str]
) -> None:
    promises.refused(client.send("GET", "/api/usage", headers=[header]), 401, "unauthorized")

    person.ask("POST", "/api/manuals/upload", {"file_name": "a.txt", "size_bytes": 1})  # so that nobody looks the same
    reply = person.ask("GET", "/api/usage", headers=[header])
    promises.well(reply, 200)
    assert reply.json["daily"]["used"] == person.used() > 0


@pytest.mark.basic
def test_a_second_token_does_not_help(client: Client, person: Person) -> None:
    bad = ("Authorization", "a.b.c")
    good = ("Authorization", person.account.id_token)

    for headers in ([bad, good], [good, bad], [bad, bad]):
        reply = client.send("GET", "/api/usage", headers=headers)
        promises.harmless(reply, 200, 400, 401)
        assert reply.status != 200 or headers != [bad, bad], reply


@pytest.mark.parametrize(
    "header",
    [
        ("X-Long", "a" * 9000),
        ("Cookie", "a=b; " * 900),
        ("Accept", "../../etc/passwd"),
        ("Range", "bytes=0-1,-9999999999"),
    ],
)
def test_a_strange_header_is_refused_or_ignored(person: Person, header: tuple[str, str]) -> None:
    promises.harmless(person.ask("GET", "/api/usage", headers=[header]), 200, 400, 413, 416, 431)


@pytest.mark.parametrize("query", ["?deep=1&deep=0", "?deep[]=1", "?deep=" + "1" * 3000, "?%00=1", "?a" * 500])
def test_a_strange_query_does_no_harm(client: Client, query: str) -> None:
    promises.harmless(client.send("GET", f"/health{query}"), 200, 400, 414)
