"""/api/manuals: upload, list, read, download, delete; only one's own."""

from __future__ import annotations

import json
import urllib.parse
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from functions.backing import BUCKET, TABLE
from functions.events import ALICE, BOB, Answer, call, proxy_event
from manuel import manuals
from manuel.errors import InvalidRequestError
from manuel.http import Request
from manuel.logic import manuals as rules
from manuel.models import Limits
from manuel.store.manuals import ManualStore
from manuel.store.source import Fetched
from manuel.store.usage import UsageStore

pytestmark = pytest.mark.usefixtures("aws")
MISSING = "0" * 32


def upload(user: str, **body: Any) -> Answer:
    wanted = body or {"file_name": "kettle.pdf", "size_bytes": 5}
    return call(manuals.handler, proxy_event("POST", "/api/manuals/upload", user=user, body=wanted))


def listing(user: str, **query: str) -> Answer:
    return call(manuals.handler, proxy_event("GET", "/api/manuals", user=user, query=query or None))


def one(method: str, manual_id: str, user: str, *, ending: str = "") -> Answer:
    resource = "/api/manuals/{manual_id}" + ending
    return call(manuals.handler, proxy_event(method, resource, user=user, path={"manual_id": manual_id}))


def put(user: str, manual_id: str, name: str = "kettle.pdf", content: bytes = b"%PDF-") -> None:
    boto3.client("s3").put_object(Bucket=BUCKET, Key=f"manuals/{user}/{manual_id}/{name}", Body=content)


def key_of(url: str) -> str:
    return urllib.parse.unquote(urllib.parse.urlsplit(url).path).removeprefix("/")


def signed(url: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


def test_an_upload_is_a_permission_for_exactly_this_file() -> None:
    answer = upload(ALICE, file_name="kettle.pdf", size_bytes=1234)

    assert answer.status == 201
    permission = answer.json["upload"]
    assert permission["method"] == "PUT"
    assert permission["headers"] == {"Content-Type": "application/pdf", "Content-Length": "1234"}
    assert key_of(permission["url"]).endswith(f"manuals/{ALICE}/{answer.json['manual_id']}/kettle.pdf")
    parameters = signed(permission["url"])
    assert parameters["X-Amz-SignedHeaders"] == "content-length;content-type;host"
    assert int(parameters["X-Amz-Expires"]) == permission["expires_in_seconds"] == 900


def test_an_upload_counts_as_one_operation() -> None:
    assert upload(ALICE).json["usage"]["daily"]["used"] == 1
    assert upload(ALICE).json["usage"]["daily"]["used"] == 2


def test_a_refused_upload_counts_as_none() -> None:
    upload(ALICE, file_name="kettle.exe", size_bytes=5)

    assert upload(ALICE).json["usage"]["daily"]["used"] == 1


def test_over_quota_is_429_with_the_seconds_until_it_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        assert upload(ALICE).status == 201
    capsys.readouterr()

    answer = upload(ALICE)

    assert (answer.status, answer.error["code"]) == (429, "quota_exceeded")
    assert 1 <= int(answer.headers["Retry-After"]) <= 86_400
    metrics = json.loads(next(line for line in capsys.readouterr().out.splitlines() if "_aws" in line))
    assert metrics["QuotaViolations"] == [1]
    assert upload(BOB).status == 201


def test_what_was_uploaded_is_listed_oldest_first() -> None:
    first, second = (upload(ALICE).json["manual_id"] for _ in range(2))
    put(ALICE, second, "toaster.md")
    put(ALICE, first)

    answer = listing(ALICE)

    assert answer.status == 200
    assert [m["manual_id"] for m in answer.json["manuals"]] == sorted([first, second])
    assert {m["file_name"]: m["content_type"] for m in answer.json["manuals"]} == {
        "kettle.pdf": "application/pdf",
        "toaster.md": "text/markdown",
    }
    assert answer.json["next_cursor"] is None


def test_a_permission_that_was_not_used_is_no_manual() -> None:
    manual_id = upload(ALICE).json["manual_id"]

    assert listing(ALICE).json["manuals"] == []
    assert one("GET", manual_id, ALICE).status == 404


def test_a_manual_can_be_read() -> None:
    manual_id = upload(ALICE).json["manual_id"]
    put(ALICE, manual_id)

    manual = one("GET", manual_id, ALICE).json["manual"]

    assert (manual["manual_id"], manual["file_name"], manual["size_bytes"]) == (manual_id, "kettle.pdf", 5)
    assert datetime.now(UTC) - datetime.fromisoformat(manual["uploaded_at"]) < timedelta(minutes=5)


def test_a_description_holds_nothing_that_expires_because_it_is_cached() -> None:
    put(ALICE, MISSING)

    assert one("GET", MISSING, ALICE).json["manual"].keys() == {
        "manual_id",
        "file_name",
        "content_type",
        "size_bytes",
        "uploaded_at",
    }


def test_a_download_is_a_link_that_expires() -> None:
    put(ALICE, MISSING, "Käse & Brot.txt")

    link = one("GET", MISSING, ALICE, ending="/download").json

    assert link["expires_in_seconds"] == int(signed(link["url"])["X-Amz-Expires"]) == 900
    assert key_of(link["url"]).endswith(f"manuals/{ALICE}/{MISSING}/Käse & Brot.txt")


def test_a_deleted_manual_is_gone_with_its_side_file() -> None:
    put(ALICE, MISSING)
    put(ALICE, MISSING, "kettle.pdf.metadata.json", b"{}")

    answer = one("DELETE", MISSING, ALICE)

    assert (answer.status, answer.text) == (204, "")
    assert boto3.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    assert one("DELETE", MISSING, ALICE).status == 404


def test_side_files_are_no_manuals() -> None:
    put(ALICE, MISSING)
    put(ALICE, MISSING, "kettle.pdf.metadata.json", b"{}")

    assert [m["file_name"] for m in listing(ALICE).json["manuals"]] == ["kettle.pdf"]
    assert one("GET", MISSING, ALICE).json["manual"]["file_name"] == "kettle.pdf"


@pytest.mark.parametrize(("method", "ending"), [("GET", ""), ("GET", "/download"), ("DELETE", "")])
def test_nobody_reaches_somebody_elses_manual(method: str, ending: str) -> None:
    put(ALICE, MISSING)

    answer = one(method, MISSING, BOB, ending=ending)

    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert one("GET", MISSING, ALICE).status == 200


def test_nobody_lists_somebody_elses_manuals_even_with_their_cursor() -> None:
    for number in range(3):
        put(ALICE, f"{number:032x}")
    cursor = listing(ALICE, limit="1").json["next_cursor"]

    assert listing(BOB).json["manuals"] == []
    assert listing(BOB, cursor=cursor).json["manuals"] == []


@pytest.mark.parametrize("manual_id", ["", "..", f"../{ALICE}/{MISSING}", "0" * 31, "G" * 32, f"{MISSING}/x"])
def test_what_is_no_id_is_not_found(manual_id: str) -> None:
    put(ALICE, MISSING)

    for method, ending in (("GET", ""), ("GET", "/download"), ("DELETE", "")):
        assert one(method, manual_id, ALICE, ending=ending).status == 404


@pytest.mark.parametrize(
    ("method", "resource"),
    [
        ("GET", "/api/manuals"),
        ("POST", "/api/manuals/upload"),
        ("GET", "/api/manuals/{manual_id}"),
        ("GET", "/api/manuals/{manual_id}/download"),
        ("DELETE", "/api/manuals/{manual_id}"),
    ],
)
def test_nobody_signed_in_gets_401(method: str, resource: str) -> None:
    body = {"file_name": "kettle.pdf", "size_bytes": 5}

    event = proxy_event(method, resource, path={"manual_id": MISSING}, body=body)

    assert call(manuals.handler, event).status == 401


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_together_are_the_whole_list(limit: int) -> None:
    ids = [f"{number:032x}" for number in range(7)]
    for manual_id in ids:
        put(ALICE, manual_id)
        put(ALICE, manual_id, "kettle.pdf.metadata.json", b"{}")

    found: list[str] = []
    cursor: str | None = None
    while True:
        page = listing(ALICE, limit=str(limit), **({"cursor": cursor} if cursor else {})).json
        assert 1 <= len(page["manuals"]) <= limit
        found += [m["manual_id"] for m in page["manuals"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert found == ids


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"cursor": "x"}, {"cursor": "%%"}])
def test_a_page_that_cannot_be_is_refused(query: dict[str, str]) -> None:
    assert listing(ALICE, **query).status == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"file_name": "kettle.pdf"},
        {"file_name": "kettle.pdf", "size_bytes": 0},
        {"file_name": "kettle.pdf", "size_bytes": True},
        {"file_name": "kettle.pdf", "size_bytes": "5"},
        {"file_name": 7, "size_bytes": 5},
        {"file_name": "", "size_bytes": 5},
        {"file_name": "kettle", "size_bytes": 5},
        {"file_name": "kettle.exe", "size_bytes": 5},
        {"file_name": "../kettle.pdf", "size_bytes": 5},
        {"file_name": "a\\kettle.pdf", "size_bytes": 5},
        {"file_name": "ket\ntle.pdf", "size_bytes": 5},
        {"file_name": "ket\u202etle.pdf", "size_bytes": 5},
        {"file_name": "k" * 197 + ".pdf", "size_bytes": 5},
        {"file_name": "kettle.pdf.metadata.json", "size_bytes": 5},
        {"file_name": "kettle.pdf", "size_bytes": 5, "content_type": "text/html"},
        {"file_name": "kettle.pdf", "size_bytes": 5, "user_id": BOB},
        {"source_url": 7},
        {"source_url": "https://example.com/a.pdf", "size_bytes": 5},
        {"source_url": "https://example.com/a.pdf", "file_name": "a.exe"},
    ],
    ids=str,
)
def test_an_upload_that_cannot_be_is_refused_and_costs_nothing(body: dict[str, Any]) -> None:
    event = proxy_event("POST", "/api/manuals/upload", user=ALICE, body=body)

    answer = call(manuals.handler, event)

    assert (answer.status, answer.error["code"]) == (400, "invalid_request")
    assert upload(ALICE).json["usage"]["daily"]["used"] == 1


def test_a_manual_that_is_too_large_is_413() -> None:
    assert upload(ALICE, file_name="kettle.pdf", size_bytes=rules.MAX_BYTES).status == 201
    assert upload(ALICE, file_name="kettle.pdf", size_bytes=rules.MAX_BYTES + 1).status == 413


def test_a_long_body_is_413_with_advanced_security_only(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = json.dumps({"file_name": "kettle.pdf", "size_bytes": 5}) + " " * manuals.MAX_BODY_BYTES
    event = proxy_event("POST", "/api/manuals/upload", user=ALICE, raw=raw)
    assert call(manuals.handler, event).status == 201

    monkeypatch.setenv("MANUEL_ADVANCED_SECURITY", "true")
    manuals.service.cache_clear()
    answer = call(manuals.handler, event)

    assert (answer.status, answer.error["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "url", ["http://example.com/a.pdf", "https://127.0.0.1/a.pdf", "https://169.254.169.254/a.pdf"]
)
def test_an_address_that_is_not_public_is_refused_and_costs_nothing(url: str) -> None:
    assert upload(ALICE, source_url=url).status == 400
    assert upload(ALICE).json["usage"]["daily"]["used"] == 1


class Source:
    """Gives one file, and remembers how often it was asked."""

    def __init__(self, content: bytes, name: str) -> None:
        self.fetched = Fetched(content, name)
        self.asked = 0

    def fetch(self, url: str, *, max_bytes: int) -> Fetched:
        self.asked += 1
        return self.fetched


def endpoint(source: Source) -> manuals.Endpoint:
    return manuals.Endpoint(
        manuals=ManualStore(BUCKET),
        usage=UsageStore(TABLE),
        limits=Limits(daily=3, monthly=5),
        max_body_bytes=None,
        source=source,  # type: ignore[arg-type]
    )


def fetch_request(**body: str) -> Request:
    event = proxy_event("POST", "/api/manuals/upload", user=ALICE, body={"source_url": "https://x.example/k", **body})
    return Request.from_event(event, fallback_id="id")


def test_a_fetched_manual_is_kept_and_counted() -> None:
    answer = endpoint(Source(b"%PDF-1.7", "kettle.pdf")).upload(fetch_request()).body

    assert answer is not None
    assert (answer["manual"]["file_name"], answer["manual"]["size_bytes"]) == ("kettle.pdf", 8)
    assert answer["usage"]["daily"]["used"] == 1
    key = f"manuals/{ALICE}/{answer['manual_id']}/kettle.pdf"
    kept = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)
    assert (kept["Body"].read(), kept["ContentType"]) == (b"%PDF-1.7", "application/pdf")
    assert one("GET", answer["manual_id"], ALICE).status == 200


def test_a_fetched_manual_gets_the_name_that_the_caller_wants() -> None:
    answer = endpoint(Source(b"x", "download")).upload(fetch_request(file_name="kettle.txt")).body

    assert answer is not None
    assert answer["manual"]["file_name"] == "kettle.txt"


@pytest.mark.parametrize(("content", "name"), [(b"", "kettle.pdf"), (b"x", "kettle.exe"), (b"x", "")])
def test_an_address_that_gives_no_manual_is_refused_and_costs_nothing(content: bytes, name: str) -> None:
    with pytest.raises(InvalidRequestError):
        endpoint(Source(content, name)).upload(fetch_request())

    assert boto3.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    assert upload(ALICE).json["usage"]["daily"]["used"] == 1


def test_nothing_is_fetched_for_a_caller_without_quota() -> None:
    for _ in range(3):
        upload(ALICE)
    source = Source(b"x", "kettle.pdf")

    with pytest.raises(Exception, match="operations of this day"):
        endpoint(source).upload(fetch_request())

    assert source.asked == 0


def test_ids_sort_by_time_and_do_not_repeat() -> None:
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    ids = [rules.new_id(moment + timedelta(milliseconds=n)) for n in range(50)]

    assert ids == sorted(ids)
    assert len({rules.new_id(moment) for _ in range(50)}) == 50
    assert all(rules.MANUAL_ID.fullmatch(i) for i in ids)


def test_names_that_look_alike_are_kept_alike() -> None:
    assert rules.checked_name("Ka\u0308se.PDF ") == "K\u00e4se.PDF"
