"""POST /api/manuals/upload: a permission to upload, or a file fetched from an address."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from functions.backing import BUCKET, TABLE
from functions.events import ALICE, BOB, call, proxy_event
from functions.manual_calls import key_of, one, signed, upload
from manuel import manuals
from manuel.errors import InvalidRequestError
from manuel.http import Request
from manuel.logic import manuals as rules
from manuel.models import Limits
from manuel.store.manuals import ManualStore
from manuel.store.source import Fetched
from manuel.store.usage import UsageStore

pytestmark = pytest.mark.usefixtures("aws")


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


@pytest.mark.parametrize("check", [True, False])
def test_with_advanced_security_a_fetched_file_must_be_what_its_name_says(check: bool) -> None:
    strict = dataclasses.replace(endpoint(Source(b"<html>", "kettle.pdf")), check_content=check)

    if check:
        with pytest.raises(InvalidRequestError, match=r"no \.pdf"):
            strict.upload(fetch_request())
        assert UsageStore(TABLE).read(ALICE, datetime.now(UTC)).daily == 0
    else:
        assert strict.upload(fetch_request()).status == 201


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
