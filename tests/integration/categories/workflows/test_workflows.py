"""What people do with the service, from one end to the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from integration.suites import promises
from integration.suites.person import Person, transfer, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.suites.client import Client
    from integration.suites.config import Config
    from integration.suites.contract import Contract
    from integration.suites.session import Session

KETTLE = b"# Kettle\n\nDescale the kettle once a month with citric acid.\n"
TOASTER = b"# Toaster\n\nEmpty the crumb tray of the toaster every Friday evening.\n"
QUESTION = "What do I descale the kettle with?"
ABOUT_THE_TOASTER = "When do I empty the crumb tray of the toaster?"


@pytest.mark.smoke
def test_an_app_that_starts_finds_the_service_and_asks_to_sign_in(client: Client) -> None:
    health = client.send("GET", "/health")
    preflight = client.send("OPTIONS", "/api/usage", headers=[("Origin", "https://app.example.com")])
    usage = client.send("GET", "/api/usage")

    promises.well(health, 200)
    assert preflight.status in {200, 204}
    promises.refused(usage, 401, "unauthorized")


@pytest.mark.smoke
def test_who_signs_in_sees_what_is_theirs(person: Person, contract: Contract) -> None:
    for path in ("/api/user/quota", "/api/manuals"):
        reply = person.ask("GET", path)
        promises.well(reply, 200)
        promises.documented(reply, contract)


@pytest.mark.basic
def test_a_manual_is_uploaded_asked_about_downloaded_and_deleted(person: Person, contract: Contract) -> None:
    used = person.used()
    manual_id = person.upload("kettle.md", KETTLE)

    answer = person.knows(QUESTION)
    assert "citric acid" in answer["answer"]
    assert [(one["manual_id"], one["file_name"]) for one in answer["sources"]] == [(manual_id, "kettle.md")]
    assert answer["context_used"] >= 1
    assert answer["usage"]["daily"]["used"] >= used + 2

    unknown = person.query("Which football club wins tomorrow?")
    promises.documented(unknown, contract)
    assert (unknown.json["sources"], unknown.json["context_used"]) == ([], 0)

    link = person.ask("GET", f"/api/manuals/{manual_id}/download").json["url"]
    assert transfer("GET", link, None, {}) == (200, KETTLE)

    promises.well(person.ask("DELETE", f"/api/manuals/{manual_id}"), 204)
    assert manual_id not in [one["manual_id"] for one in person.manuals()]
    forgotten = until(lambda: person.query(QUESTION).json.get("sources") == [], person.learning_seconds)
    assert forgotten, "a deleted manual still answers"


def test_two_people_at_once_each_get_their_own_answers(person: Person, other: Person) -> None:
    with ThreadPoolExecutor(2) as pool:
        mine = pool.submit(person.upload, "kettle.md", KETTLE)
        theirs = pool.submit(other.upload, "toaster.md", TOASTER)
        asked = pool.submit(person.knows, QUESTION), pool.submit(other.knows, ABOUT_THE_TOASTER)

    assert [one["manual_id"] for one in asked[0].result()["sources"]] == [mine.result()]
    assert [one["manual_id"] for one in asked[1].result()["sources"]] == [theirs.result()]
    assert person.query(ABOUT_THE_TOASTER).json["sources"] == []


def test_a_question_that_is_spoken_is_answered(person: Person, config: Config) -> None:
    if not config.recording:
        pytest.skip("no recording of a person is given (MANUEL_TEST_RECORDING)")
    person.upload("kettle.md", KETTLE)
    person.knows(QUESTION)

    heard = person.say(Path(config.recording).read_bytes())
    promises.well(heard, 200)
    answer = person.query(heard.json["transcription"])

    promises.well(answer, 200)
    assert "citric acid" in answer.json["answer"]


def test_work_goes_on_with_a_refreshed_token(people: Callable[[], Person], suites: Session) -> None:
    person = people()
    manual_id = person.upload("kettle.md", KETTLE)

    later = Person(suites.client, suites.accounts.refreshed(person.account), person.learning_seconds)

    assert manual_id in [one["manual_id"] for one in later.manuals()]
    promises.well(later.ask("DELETE", f"/api/manuals/{manual_id}"), 204)
