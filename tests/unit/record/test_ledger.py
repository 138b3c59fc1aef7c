from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from unit.record.memory_table import MemoryTable

from manuel_release.errors import Refused, ReleaseError
from manuel_release.model.entry import Entry, EntryKind
from manuel_release.record import Ledger, entry_id
from manuel_release.record.ledger import RESERVE_ATTEMPTS


def an_entry(clock, environment="dev", api_stage="v1", release="r-1", **more) -> Entry:
    """An entry that happens a second after the one before."""
    clock.forward(1)
    fields = {"id": entry_id(clock.now), "at": clock.now, "kind": EntryKind.DEPLOY_STARTED, "by": "jane", **more}
    return Entry(environment=environment, api_stage=api_stage, release=release, **fields)


def test_the_first_release_of_an_environment_is_number_one(ledger, clock) -> None:
    assert ledger.last_number("dev") == 0
    assert ledger.reserve("dev", "v1", "jane", clock.now) == "r-1"
    assert ledger.last_number("dev") == 1


def test_numbers_grow_across_api_stages_and_never_repeat(ledger, clock) -> None:
    given = [ledger.reserve("dev", stage, "jane", clock.now) for stage in ("v1", "v2", "v1")]

    assert given == ["r-1", "r-2", "r-3"]


def test_number_ten_follows_nine(ledger, clock) -> None:
    given = [ledger.reserve("dev", "v1", "jane", clock.now) for _ in range(11)]

    assert given[-2:] == ["r-10", "r-11"]


def test_environments_count_for_themselves(ledger, clock) -> None:
    ledger.reserve("dev", "v1", "jane", clock.now)

    assert ledger.reserve("staging", "v1", "jane", clock.now) == "r-1"


def test_prod_and_production_are_one_environment(ledger, clock) -> None:
    ledger.reserve("prod", "v1", "jane", clock.now)
    ledger.append(an_entry(clock, "prod"))
    ledger.acquire("prod", "v1", "jane", "deploy", 60, "t")

    assert ledger.last_number("production") == 1
    assert [entry.environment for entry in ledger.entries("production")] == ["production"]
    assert ledger.lease("production", "v1").holder == "jane"


def test_two_who_reserve_at_the_same_moment_get_different_numbers(clock) -> None:
    table = MemoryTable()  # moto's conditional writes are not atomic between threads; DynamoDB's are
    ledgers = [Ledger(table, clock) for _ in range(6)]

    with ThreadPoolExecutor(len(ledgers)) as pool:
        given = list(pool.map(lambda ledger: ledger.reserve("dev", "v1", "jane", clock.now), ledgers))

    assert sorted(given) == [f"r-{number}" for number in range(1, 7)]


class RivalledTable(MemoryTable):
    """Somebody else is always faster with the next number, so many times."""

    def __init__(self, rivals: int) -> None:
        super().__init__()
        self.rivals = rivals

    def put_new(self, item):
        if self.rivals:
            self.rivals -= 1
            super().put_new({**item, "token": "rival's"})
        return super().put_new(item)


def test_a_number_that_somebody_else_took_first_is_not_given_again(clock) -> None:
    assert Ledger(RivalledTable(3), clock).reserve("dev", "v1", "jane", clock.now) == "r-4"


def test_somebody_who_is_always_faster_ends_in_an_error(clock) -> None:
    with pytest.raises(ReleaseError, match=f"no release number in dev: others took {RESERVE_ATTEMPTS}"):
        Ledger(RivalledTable(10_000), clock).reserve("dev", "v1", "jane", clock.now)


def test_entries_come_back_as_they_were_oldest_first(ledger, clock) -> None:
    written = [
        an_entry(clock, release=f"r-{n}", details={"steps": ["a", "b"], "n": n}, reason="why") for n in (1, 2, 3)
    ]
    for entry in reversed(written):
        ledger.append(entry)

    assert ledger.entries("dev") == tuple(written)


def test_entries_are_those_of_the_environment_and_the_api_stage(ledger, clock) -> None:
    first, other_stage, other = an_entry(clock), an_entry(clock, api_stage="v2"), an_entry(clock, "staging")
    for entry in (first, other_stage, other):
        ledger.append(entry)
    ledger.reserve("dev", "v1", "jane", clock.now)
    ledger.acquire("dev", "v1", "jane", "deploy", 60, "t")

    assert ledger.entries("dev", "v1") == (first,)
    assert ledger.entries("dev") == (first, other_stage)
    assert ledger.entries("production") == ()


def test_a_limit_keeps_the_newest_of_the_stage_still_oldest_first(ledger, clock) -> None:
    entries = [an_entry(clock, api_stage=stage) for stage in ("v1", "v1", "v1", "v2", "v2", "v2")]
    for entry in entries:
        ledger.append(entry)

    assert ledger.entries("dev", "v1", 2) == tuple(entries[1:3])
    assert ledger.entries("dev", limit=2) == tuple(entries[4:])
    assert ledger.entries("dev", limit=99) == tuple(entries)
    assert ledger.entries("dev", limit=0) == ()


def test_an_entry_of_another_stage_that_cannot_be_read_is_not_in_the_way(ledger, table, clock) -> None:
    ledger.append(an_entry(clock))
    table.put_new({"environment": "dev", "entry": "log#3", "api_stage": "v2", "at": "", "kind": "from the future"})

    assert len(ledger.entries("dev", "v1")) == 1
    with pytest.raises(ReleaseError, match="from the future"):
        ledger.entries("dev")


def test_an_entry_is_never_written_over(ledger, clock) -> None:
    entry = an_entry(clock)
    ledger.append(entry)

    with pytest.raises(ReleaseError, match=f"entry {entry.id} of dev is not written"):
        ledger.append(replace(entry, release="r-2"))

    assert ledger.entries("dev") == (entry,)


def test_appending_the_same_entry_again_after_a_lost_answer_is_harmless(ledger, clock) -> None:
    entry = an_entry(clock)

    ledger.append(entry)
    ledger.append(entry)

    assert ledger.entries("dev") == (entry,)


def test_a_lease_is_held_from_now_for_its_time(ledger, clock) -> None:
    lease = ledger.acquire("dev", "v1", "jane", "deploy r-13", 90, "t")

    assert (lease.taken_at, lease.expires_at) == (clock.now, clock.now + timedelta(seconds=90))
    assert ledger.lease("dev", "v1") == lease


def test_nobody_holds_a_lease_at_first_or_on_another_stage(ledger) -> None:
    assert ledger.lease("dev", "v1") is None

    ledger.acquire("dev", "v1", "jane", "deploy", 90, "t")

    assert ledger.lease("dev", "v2") is None
    assert ledger.acquire("dev", "v2", "john", "deploy", 90, "u").holder == "john"


def test_a_held_lease_is_refused_with_who_since_when_why_and_until_when(ledger, clock) -> None:
    ledger.acquire("dev", "v1", "jane@laptop", "deploy r-13", 90, "t")
    clock.forward(30)

    with pytest.raises(Refused) as raised:
        ledger.acquire("dev", "v1", "john", "deploy r-14", 90, "u")

    assert raised.value.message == (
        "dev (v1) is being changed by jane@laptop since 2026-11-23 12:00:00 UTC: deploy r-13"
    )
    assert "expires by itself at 2026-11-23 12:01:30 UTC (in 60 s)" in raised.value.hint
    assert ledger.lease("dev", "v1").holder == "jane@laptop"


def test_an_expired_lease_is_nobodys_and_can_be_taken(ledger, clock) -> None:
    ledger.acquire("dev", "v1", "jane", "deploy", 90, "t")
    clock.forward(90.5)

    assert ledger.lease("dev", "v1") is None
    assert ledger.acquire("dev", "v1", "john", "deploy", 90, "u").holder == "john"


def test_the_same_token_takes_its_lease_again(ledger, clock) -> None:
    ledger.acquire("dev", "v1", "jane", "deploy", 90, "t")
    clock.forward(30)

    assert ledger.acquire("dev", "v1", "jane", "deploy", 90, "t").expires_at == clock.now + timedelta(seconds=90)


def test_renewing_makes_it_last_from_now_and_keeps_when_it_was_taken(ledger, clock) -> None:
    lease = ledger.acquire("dev", "v1", "jane", "deploy", 90, "t")
    clock.forward(60)

    longer = ledger.renew(lease, 90)

    assert longer == replace(lease, expires_at=clock.now + timedelta(seconds=90))
    assert ledger.lease("dev", "v1") == longer


def test_an_expired_lease_that_nobody_took_can_be_renewed(ledger, clock) -> None:
    lease = ledger.acquire("dev", "v1", "jane", "deploy", 90, "t")
    clock.forward(1000)

    assert ledger.lease("dev", "v1") is None
    assert ledger.renew(lease, 90) == ledger.lease("dev", "v1")


def test_a_lease_that_somebody_took_over_is_not_renewed(ledger, clock) -> None:
    lease = ledger.acquire("dev", "v1", "jane", "deploy", 90, "t")
    clock.forward(91)
    ledger.acquire("dev", "v1", "john", "deploy r-14", 90, "u")

    with pytest.raises(Refused, match="is being changed by john"):
        ledger.renew(lease, 90)

    assert ledger.lease("dev", "v1").holder == "john"


@pytest.mark.parametrize("ending", ["given back", "expired"])
def test_a_lease_that_somebody_had_in_between_is_not_renewed(ledger, clock, ending) -> None:
    lease = ledger.acquire("dev", "v1", "jane", "deploy", 90, "t")
    clock.forward(91)
    other = ledger.acquire("dev", "v1", "john", "deploy", 90, "u")
    if ending == "given back":
        ledger.release(other)
    else:
        clock.forward(91)

    with pytest.raises(Refused, match=r"jane does not hold the lease on dev \(v1\) any more"):
        ledger.renew(lease, 90)

    assert ledger.lease("dev", "v1") is None


def test_a_lease_that_was_given_back_is_free(ledger) -> None:
    ledger.release(ledger.acquire("dev", "v1", "jane", "deploy", 90, "t"))

    assert ledger.lease("dev", "v1") is None
    assert ledger.acquire("dev", "v1", "john", "deploy", 90, "u").holder == "john"


def test_giving_back_does_not_touch_somebody_elses_lease(ledger, clock) -> None:
    lease = ledger.acquire("dev", "v1", "jane", "deploy", 90, "t")
    clock.forward(91)
    ledger.acquire("dev", "v1", "john", "deploy", 90, "u")

    ledger.release(lease)

    assert ledger.lease("dev", "v1").holder == "john"


def test_one_of_many_who_ask_at_the_same_moment_gets_the_lease(clock) -> None:
    table = MemoryTable()  # moto's conditional writes are not atomic between threads; DynamoDB's are

    def ask(name: str) -> bool:
        try:
            Ledger(table, clock).acquire("dev", "v1", name, "deploy", 90, name)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(ask, "abcdef")) == 1
