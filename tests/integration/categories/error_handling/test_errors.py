"""What is asked wrongly is refused with the documented status and code, in one format, and costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from integration.suites import promises

if TYPE_CHECKING:
    from integration.suites.client import Client
    from integration.suites.contract import Contract
    from integration.suites.person import Person

MANUAL = "0" * 32
UPLOAD, QUERY, TRANSCRIBE = "/api/manuals/upload", "/api/query", "/api/transcribe"
WRONG: list[tuple[str, Any, int]] = [
    (QUERY, {}, 400),
    (QUERY, {"question": ""}, 400),
    (QUERY, {"question": "   "}, 400),
    (QUERY, {"question": 7}, 400),
    (QUERY, {"question": None}, 400),
    (QUERY, {"question": ["What?"]}, 400),
    (QUERY, {"question": "x" * 1001}, 413),
    (TRANSCRIBE, {}, 400),
    (TRANSCRIBE, {"audio_data": "AAAA"}, 400),
    (TRANSCRIBE, {"content_type": "audio/wav"}, 400),
    (TRANSCRIBE, {"audio_data": "", "content_type": "audio/wav"}, 400),
    (TRANSCRIBE, {"audio_data": "not base64!", "content_type": "audio/wav"}, 400),
    (TRANSCRIBE, {"audio_data": "AAAA", "content_type": "audio/mpeg"}, 400),
    (TRANSCRIBE, {"audio_data": "AAAA", "content_type": 5}, 400),
    (UPLOAD, {}, 400),
    (UPLOAD, {"file_name": "a.txt"}, 400),
    (UPLOAD, {"size_bytes": 1}, 400),
    (UPLOAD, {"file_name": "a.exe", "size_bytes": 1}, 400),
    (UPLOAD, {"file_name": "a", "size_bytes": 1}, 400),
    (UPLOAD, {"file_name": "a.txt", "size_bytes": 0}, 400),
    (UPLOAD, {"file_name": "a.txt", "size_bytes": -1}, 400),
    (UPLOAD, {"file_name": "a.txt", "size_bytes": 1.5}, 400),
    (UPLOAD, {"file_name": "a.txt", "size_bytes": True}, 400),
    (UPLOAD, {"file_name": "a.txt", "size_bytes": "1"}, 400),
    (UPLOAD, {"file_name": "a.txt", "size_bytes": 1, "content_type": "application/pdf"}, 400),
    (UPLOAD, {"file_name": "a.txt", "size_bytes": 1, "source_url": "https://example.com/a.txt"}, 400),
    (UPLOAD, {"file_name": "x" * 300 + ".txt", "size_bytes": 1}, 400),
    (UPLOAD, {"file_name": "a.pdf", "size_bytes": 60_000_000}, 413),
]


@pytest.mark.smoke
def test_what_does_not_exist_is_not_found_in_the_apis_own_format(client: Client) -> None:
    for method, path in (("GET", "/"), ("GET", "/nothing"), ("GET", "/api/query"), ("PUT", "/api/usage")):
        promises.refused(client.send(method, path), 404, "not_found")


@pytest.mark.smoke
def test_without_a_token_the_answer_says_to_sign_in(client: Client) -> None:
    reply = client.send("GET", "/api/usage")

    promises.refused(reply, 401, "unauthorized")
    assert "sign in" in reply.json["error"]["message"].lower()


@pytest.mark.basic
def test_every_wrong_request_is_refused_with_its_documented_status(person: Person, contract: Contract) -> None:
    before = person.used()
    codes = {400: "invalid_request", 413: "too_large"}
    for path, body, status in WRONG:
        reply = person.ask("POST", path, body)
        promises.refused(reply, status, codes[status])
        promises.documented(reply, contract)

    assert person.used() == before, "a refused request was counted"


@pytest.mark.basic
def test_an_error_names_the_field_that_is_wrong(person: Person) -> None:
    for path, body, name in (
        (QUERY, {"question": 7}, "question"),
        (UPLOAD, {"file_name": "a.txt", "size_bytes": 0}, "size_bytes"),
        (UPLOAD, {"file_name": "a.exe", "size_bytes": 1}, "manual"),
        (TRANSCRIBE, {"audio_data": "AAAA", "content_type": "audio/mpeg"}, "content_type"),
        (QUERY, {"question": "x", "colour": "red"}, "colour"),
    ):
        assert name in person.ask("POST", path, body).json["error"]["message"]


@pytest.mark.basic
@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=-1", "limit=1.0", "cursor=x", "cursor=AAAA"]
)
def test_a_listing_that_cannot_be_is_refused(person: Person, contract: Contract, query: str) -> None:
    reply = person.ask("GET", f"/api/manuals?{query}")

    promises.refused(reply, 400, "invalid_request")
    promises.documented(reply, contract)


@pytest.mark.smoke
def test_a_manual_that_is_not_there_is_not_found(person: Person, contract: Contract) -> None:
    for path in (f"/api/manuals/{MANUAL}", f"/api/manuals/{MANUAL}/download", "/api/manuals/not-an-id"):
        reply = person.ask("GET", path)
        promises.refused(reply, 404, "not_found")
        promises.documented(reply, contract)


@pytest.mark.basic
def test_deleting_what_is_not_there_is_not_found(person: Person, contract: Contract) -> None:
    reply = person.ask("DELETE", f"/api/manuals/{MANUAL}")

    promises.refused(reply, 404, "not_found")
    promises.documented(reply, contract)


@pytest.mark.basic
def test_each_refusal_has_a_request_id_of_its_own(person: Person) -> None:
    ids = [person.ask("GET", f"/api/manuals/{MANUAL}/download").json["error"]["request_id"] for _ in range(5)]

    assert len(set(ids)) == 5
