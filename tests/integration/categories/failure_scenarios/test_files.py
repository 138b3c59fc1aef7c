"""Files that are not what they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from integration.suites import promises
from integration.suites.person import transfer

if TYPE_CHECKING:
    from integration.suites.config import Config
    from integration.suites.contract import Contract
    from integration.suites.person import Person

TOASTER = b"# Toaster\n\nEmpty the crumb tray of the toaster every Friday evening.\n"
KETTLE = b"# Kettle\n\nDescale the kettle once a month with citric acid.\n"


@pytest.mark.basic
@pytest.mark.parametrize("name", ["a.exe", "a.zip", "a.pdf.exe", "a.js", "noending", ".txt.", "a.svg"])
def test_an_unsupported_file_is_refused(person: Person, name: str) -> None:
    reply = person.ask("POST", "/api/manuals/upload", {"file_name": name, "size_bytes": 10})

    promises.refused(reply, 400, "invalid_request")


@pytest.mark.basic
@pytest.mark.parametrize("size", [50 * 1024 * 1024 + 1, 10**12])
def test_an_oversized_file_is_refused_before_it_is_sent(person: Person, contract: Contract, size: int) -> None:
    reply = person.ask("POST", "/api/manuals/upload", {"file_name": "a.pdf", "size_bytes": size})

    promises.refused(reply, 413, "too_large")
    promises.documented(reply, contract)


@pytest.mark.basic
def test_the_largest_file_is_still_taken(person: Person) -> None:
    body = {"file_name": "a.pdf", "size_bytes": 50 * 1024 * 1024}

    promises.well(person.ask("POST", "/api/manuals/upload", body), 201)


def test_a_permission_is_for_its_owners_folder_and_for_nothing_else(person: Person) -> None:
    upload = person.ask("POST", "/api/manuals/upload", {"file_name": "a.txt", "size_bytes": 1}).json["upload"]
    elsewhere = upload["url"].replace(person.account.sub, "somebody-else")

    assert elsewhere != upload["url"]
    status, _ = transfer("PUT", elsewhere, b"x", upload["headers"])
    assert status == 403


def test_a_file_that_is_not_what_its_name_says_answers_nothing(person: Person, config: Config) -> None:
    if not config.advanced_security:
        pytest.skip("contents are checked where EnableAdvancedSecurity is true")
    person.upload("kettle.pdf", KETTLE)
    person.upload("toaster.md", TOASTER)
    assert person.knows("When do I empty the crumb tray of the toaster?")  # both were looked at

    reply = person.query("What do I descale the kettle with?")

    promises.well(reply, 200)
    assert "citric" not in reply.text
