"""Text that means something to a database, a browser, a shell or a template: to the service it is only text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pytest
from integration.suites import promises

if TYPE_CHECKING:
    from integration.suites.person import Person

SQL = ["' OR '1'='1", "1; DROP TABLE users--", "' UNION SELECT * FROM manuals--", '{"$gt": ""}', "admin'/*", ") OR 1=1"]
MARKUP = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "</question><passage>"]
OTHERS = ["{{7*7}}", "${7*7}", "$(id)", "`id`", "../../etc/passwd", "%00", "\r\nX-Injected: yes", "__proto__"]

TRIED = re.compile(r"could not be fetched|answered with|empty file")  # what only a connection can tell


@pytest.mark.basic
@pytest.mark.parametrize("text", SQL)
def test_sql_in_an_id_finds_nothing(person: Person, text: str) -> None:
    person.upload("mine.txt", b"Mine.")

    for ending in ("", "/download"):
        reply = person.ask("GET", f"/api/manuals/{quote(text, safe='')}{ending}")
        promises.harmless(reply, 404)
    promises.harmless(person.ask("DELETE", f"/api/manuals/{quote(text, safe='')}"), 404)
    assert len(person.manuals()) >= 1


@pytest.mark.basic
@pytest.mark.parametrize("name", ["limit", "cursor"])
def test_sql_in_a_listing_is_refused(person: Person, name: str) -> None:
    for text in (*SQL, *OTHERS):
        promises.harmless(person.ask("GET", f"/api/manuals?{name}={quote(text, safe='')}"), 400)


@pytest.mark.parametrize("text", [*SQL, *MARKUP, *OTHERS])
def test_a_question_is_only_a_question(person: Person, text: str) -> None:
    reply = person.query(text)

    promises.harmless(reply, 200, 400)
    assert "49" not in reply.text.partition('"usage"')[0], f"a template was evaluated: {reply}"
    assert not reply.header("X-Injected"), reply


@pytest.mark.parametrize("text", [*MARKUP, *SQL, "../../../other.txt", "..\\other.txt", "a\u0000.txt", "a\n.txt", "."])
def test_a_file_name_is_only_a_file_name(person: Person, text: str) -> None:
    reply = person.ask("POST", "/api/manuals/upload", {"file_name": f"{text}.txt", "size_bytes": 1})

    promises.harmless(reply, 201, 400)
    if reply.status == 201:
        path = unquote(reply.json["upload"]["url"].partition("?")[0])
        folder = f"/manuals/{person.account.sub}/{reply.json['manual_id']}/"
        assert folder in path, f"out of its folder: {path}"
        assert "/" not in path.partition(folder)[2], f"out of its folder: {path}"


@pytest.mark.basic
@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/x.txt",
        "https://127.0.0.1/x.txt",
        "https://localhost/x.txt",
        "https://0x7f000001/x.txt",
        "https://10.0.0.1/x.txt",
        "https://user:password@example.com/x.txt",
        "https://example.com:8443/x.txt",
        "file:///etc/passwd",
        "ftp://example.com/x.txt",
        "gopher://example.com/x.txt",
        "https://",
        "not a url",
    ],
)
def test_an_address_to_fetch_from_reaches_nothing_inside(person: Person, url: str) -> None:
    before = person.used()

    reply = person.ask("POST", "/api/manuals/upload", {"source_url": url})

    promises.harmless(reply, 400)
    assert not TRIED.search(reply.text), f"it was tried: {reply}"
    assert person.used() == before
