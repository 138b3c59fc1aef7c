"""A quota that is used up: who used it waits, nobody gets more than it, and others notice nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from integration.suites import promises

if TYPE_CHECKING:
    from integration.suites.client import Reply
    from integration.suites.config import Config
    from integration.suites.contract import Contract
    from integration.suites.person import Person

MOST = 300  # operations that are worth using up
UPLOAD = {"file_name": "a.txt", "size_bytes": 1}
DAY = 86_400


@pytest.mark.basic
def test_a_used_up_quota_is_429_and_says_until_when(
    person: Person, other: Person, contract: Contract, config: Config
) -> None:
    if config.daily_quota > MOST or not person.account.made:
        pytest.skip("only an account that was made for it has its quota used up")

    def upload(_: int) -> Reply:
        return person.ask("POST", "/api/manuals/upload", UPLOAD)

    with ThreadPoolExecutor(6) as pool:  # at once, so that a race would overrun it
        replies = list(pool.map(upload, range(config.daily_quota + 6)))

    statuses = [reply.status for reply in replies]
    assert (statuses.count(201), statuses.count(429)) == (config.daily_quota, 6)
    for path, body in (
        ("/api/manuals/upload", UPLOAD),
        ("/api/query", {"question": "What?"}),
        ("/api/transcribe", {"audio_data": "UklGRiQAAABXQVZFZm10IBAAAAABAAEA", "content_type": "audio/wav"}),
        ("/api/manuals/upload", {"source_url": "https://example.com/a.txt"}),
    ):
        reply = person.ask("POST", path, body)
        promises.refused(reply, 429, "quota_exceeded")
        promises.documented(reply, contract)
        assert 1 <= int(reply.header("Retry-After")) <= DAY
    usage = person.ask("GET", "/api/usage")
    assert (usage.json["daily"]["used"], usage.json["daily"]["remaining"]) == (config.daily_quota, 0)
    promises.well(person.ask("GET", "/api/manuals"), 200)  # what costs nothing still works
    promises.well(other.ask("POST", "/api/manuals/upload", UPLOAD), 201)
