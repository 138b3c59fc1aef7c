"""Uploading, listing, reading, downloading and deleting manuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from integration.suites import promises
from integration.suites.person import transfer, until

if TYPE_CHECKING:
    from integration.suites.contract import Contract
    from integration.suites.person import Person

KETTLE = b"# Kettle\n\nDescale the kettle once a month with citric acid.\n"


@pytest.mark.smoke
def test_a_listing_is_what_the_contract_says(person: Person, contract: Contract) -> None:
    reply = person.ask("GET", "/api/manuals")

    promises.well(reply, 200)
    promises.documented(reply, contract)


@pytest.mark.basic
def test_an_upload_gets_a_permission_for_exactly_that_file(person: Person, contract: Contract) -> None:
    before = person.used()
    reply = person.ask("POST", "/api/manuals/upload", {"file_name": "kettle.md", "size_bytes": len(KETTLE)})

    promises.well(reply, 201)
    promises.documented(reply, contract)
    upload = reply.json["upload"]
    headers = {name.lower(): value for name, value in upload["headers"].items()}
    assert headers == {"content-type": "text/markdown", "content-length": str(len(KETTLE))}
    assert 0 < upload["expires_in_seconds"] <= 3600
    assert reply.json["usage"]["daily"]["used"] == before + 1


@pytest.mark.basic
def test_what_was_uploaded_is_listed_read_and_downloaded_as_it_was(person: Person, contract: Contract) -> None:
    manual_id = person.upload("kettle.md", KETTLE)

    listed = [one for one in person.manuals() if one["manual_id"] == manual_id]
    read = person.ask("GET", f"/api/manuals/{manual_id}")
    link = person.ask("GET", f"/api/manuals/{manual_id}/download")
    status, content = transfer("GET", link.json["url"], None, {})

    for reply in (read, link):
        promises.well(reply, 200)
        promises.documented(reply, contract)
    assert listed == [read.json["manual"]]
    assert (read.json["manual"]["file_name"], read.json["manual"]["size_bytes"]) == ("kettle.md", len(KETTLE))
    assert (status, content) == (200, KETTLE)


@pytest.mark.basic
def test_a_deleted_manual_is_gone(person: Person, contract: Contract) -> None:
    manual_id = person.upload("kettle.md", KETTLE)

    deleted = person.ask("DELETE", f"/api/manuals/{manual_id}")

    promises.well(deleted, 204)
    promises.documented(deleted, contract)
    assert manual_id not in [one["manual_id"] for one in person.manuals()]
    promises.refused(person.ask("GET", f"/api/manuals/{manual_id}"), 404, "not_found")
    promises.refused(person.ask("GET", f"/api/manuals/{manual_id}/download"), 404, "not_found")
    # The upload may still be being processed, which writes a file beside it.
    assert until(lambda: person.ask("DELETE", f"/api/manuals/{manual_id}").status == 404, 15), "it can be deleted again"


def test_a_listing_comes_in_pages_that_miss_and_repeat_nothing(person: Person, contract: Contract) -> None:
    before = {one["manual_id"] for one in person.manuals()}
    uploaded = [person.upload(f"manual {number}.txt", b"x") for number in range(3)]
    seen, cursor, pages = [], "", 0
    while True:
        reply = person.ask("GET", f"/api/manuals?limit=2{cursor}")
        promises.documented(reply, contract)
        seen += [one["manual_id"] for one in reply.json["manuals"]]
        pages += 1
        assert len(reply.json["manuals"]) <= 2
        if reply.json["next_cursor"] is None:
            break
        cursor = f"&cursor={reply.json['next_cursor']}"

    assert [one for one in seen if one not in before] == uploaded
    assert len(seen) == len(set(seen))
    assert pages >= 2


@pytest.mark.parametrize("name", ["Bedienungsanleitung für Öfen.txt", "取扱説明書.txt", "a'b\"c & d.txt"])
def test_names_in_any_language_come_back_as_they_were(person: Person, name: str) -> None:
    manual_id = person.upload(name, b"Any text.")

    (found,) = [one for one in person.manuals() if one["manual_id"] == manual_id]
    link = person.ask("GET", f"/api/manuals/{manual_id}/download").json["url"]

    assert found["file_name"] == name
    assert transfer("GET", link, None, {}) == (200, b"Any text.")
