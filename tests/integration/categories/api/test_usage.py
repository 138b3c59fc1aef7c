"""Use and limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from integration.suites import promises

if TYPE_CHECKING:
    from integration.suites.config import Config
    from integration.suites.contract import Contract
    from integration.suites.person import Person

PATHS = ("/api/usage", "/api/user/usage", "/api/user/quota")


@pytest.mark.smoke
@pytest.mark.parametrize("path", PATHS)
def test_usage_says_what_was_used_what_is_left_and_until_when(
    person: Person, contract: Contract, config: Config, path: str
) -> None:
    reply = person.ask("GET", path)

    promises.well(reply, 200)
    promises.documented(reply, contract)
    for period in ("daily", "monthly"):
        one = reply.json[period]
        assert one["remaining"] == max(0, one["limit"] - one["used"]), reply
    assert reply.json["daily"]["limit"] == config.daily_quota, reply
    left = datetime.fromisoformat(reply.json["daily"]["resets_at"]) - datetime.now(UTC)
    assert timedelta(minutes=-1) < left <= timedelta(days=1), reply
    assert datetime.fromisoformat(reply.json["monthly"]["resets_at"]).day == 1, reply


@pytest.mark.basic
def test_all_paths_of_usage_say_the_same(person: Person) -> None:
    person.ask("POST", "/api/manuals/upload", {"file_name": "a.txt", "size_bytes": 1})

    first, *rest = [person.ask("GET", path).json for path in PATHS]

    assert first["daily"]["used"] >= 1
    assert all(one == first for one in rest)


@pytest.mark.basic
def test_each_operation_counts_once_in_the_day_and_in_the_month(person: Person) -> None:
    before = person.ask("GET", "/api/usage").json
    person.ask("POST", "/api/manuals/upload", {"file_name": "a.txt", "size_bytes": 1})
    person.query("What is this?")
    after = person.ask("GET", "/api/usage").json

    for period in ("daily", "monthly"):
        assert after[period]["used"] - before[period]["used"] == 2
        assert before[period]["remaining"] - after[period]["remaining"] == 2
