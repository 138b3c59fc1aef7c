"""Nobody sees, changes or learns anything of somebody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from integration.suites import promises

if TYPE_CHECKING:
    from integration.suites.person import Person

SECRET = "The spare key of the safe lies under the blue flowerpot."
QUESTION = "Where does the spare key of the safe lie?"


@pytest.mark.basic
def test_somebody_elses_manual_is_not_there(person: Person, other: Person) -> None:
    manual_id = person.upload("safe.txt", SECRET.encode())

    for method, ending in (("GET", ""), ("GET", "/download"), ("DELETE", "")):
        promises.refused(other.ask(method, f"/api/manuals/{manual_id}{ending}"), 404, "not_found")
    assert manual_id not in [one["manual_id"] for one in other.manuals()]
    assert manual_id in [one["manual_id"] for one in person.manuals()]


@pytest.mark.basic
def test_an_id_that_exists_and_one_that_does_not_look_the_same(person: Person, other: Person) -> None:
    manual_id = person.upload("safe.txt", SECRET.encode())

    theirs = other.ask("GET", f"/api/manuals/{manual_id}")
    nobodys = other.ask("GET", f"/api/manuals/{'0' * 32}")

    assert (theirs.status, theirs.json["error"]["message"]) == (nobodys.status, nobodys.json["error"]["message"])


@pytest.mark.basic
def test_somebody_elses_use_is_not_mine(person: Person, other: Person) -> None:
    before = other.used()
    person.ask("POST", "/api/manuals/upload", {"file_name": "a.txt", "size_bytes": 1})

    assert other.used() == before


@pytest.mark.basic
def test_somebody_elses_manual_answers_no_question_of_mine(person: Person, other: Person) -> None:
    person.upload("safe.txt", SECRET.encode())
    assert "flowerpot" in person.knows(QUESTION)["answer"]

    reply = other.query(QUESTION)

    promises.well(reply, 200)
    assert reply.json["sources"] == []
    assert "flowerpot" not in reply.text


def test_a_cursor_of_somebody_else_lists_only_ones_own(person: Person, other: Person) -> None:
    for number in range(2):
        person.upload(f"{number}.txt", b"x")
    mine = other.upload("mine.txt", b"x")
    cursor = person.ask("GET", "/api/manuals?limit=1").json["next_cursor"]

    reply = other.ask("GET", f"/api/manuals?cursor={cursor}")

    promises.well(reply, 200)
    assert {one["manual_id"] for one in reply.json["manuals"]} <= {one["manual_id"] for one in other.manuals()}
    assert mine in {one["manual_id"] for one in other.manuals()}
