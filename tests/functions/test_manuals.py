"""/api/manuals: upload, list, read, download, delete; only one's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from functions.backing import BUCKET
from functions.events import ALICE, BOB, call, proxy_event
from functions.manual_calls import key_of, listing, one, signed, upload
from manuel import manuals
from manuel.logic import manuals as rules

pytestmark = pytest.mark.usefixtures("aws")
MISSING = "0" * 32


def put(user: str, manual_id: str, name: str = "kettle.pdf", content: bytes = b"%PDF-") -> None:
    boto3.client("s3").put_object(Bucket=BUCKET, Key=f"manuals/{user}/{manual_id}/{name}", Body=content)


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


def test_ids_sort_by_time_and_do_not_repeat() -> None:
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    ids = [rules.new_id(moment + timedelta(milliseconds=n)) for n in range(50)]

    assert ids == sorted(ids)
    assert len({rules.new_id(moment) for _ in range(50)}) == 50
    assert all(rules.MANUAL_ID.fullmatch(i) for i in ids)


def test_names_that_look_alike_are_kept_alike() -> None:
    assert rules.checked_name("Ka\u0308se.PDF ") == "K\u00e4se.PDF"
