"""Taking a lease over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from unit.record.memory_table import MemoryTable

from manuel_release.errors import Refused, ReleaseError
from manuel_release.model.entry import EntryKind
from manuel_release.record import Ledger
from manuel_release.record.leases import TAKE_ATTEMPTS


def test_a_lease_that_is_taken_over_is_the_new_holders_and_the_old_one_is_refused(ledger, clock) -> None:
    janes = ledger.acquire("dev", "v1", "jane", "deploy r-13", 90, "t")
    clock.forward(10)

    new, old = ledger.take("dev", "v1", "john", "rollback", 60, "u")

    assert old == janes
    assert (new.holder, new.reason, new.taken_at) == ("john", "rollback", clock.now)
    assert new.expires_at == clock.now + timedelta(seconds=60)
    assert ledger.lease("dev", "v1") == new
    with pytest.raises(Refused, match=r"is being changed by john since .*: rollback"):
        ledger.renew(janes, 90)


def test_the_journal_keeps_from_whom_a_lease_was_taken(ledger, clock) -> None:
    began = clock.now
    ledger.acquire("dev", "v1", "jane", "deploy r-13", 90, "t")
    clock.forward(10)
    ledger.take("prod", "v1", "john", "nobody has it", 60, "u")
    ledger.take("dev", "v1", "john", "jane's laptop burns", 60, "u")

    (entry,) = ledger.entries("dev")

    assert (entry.kind, entry.by, entry.reason, entry.api_stage) == (
        EntryKind.LEASE_TAKEN,
        "john",
        "jane's laptop burns",
        "v1",
    )
    assert entry.details["holder"] == "jane"
    assert entry.details["was_for"] == "deploy r-13"
    assert entry.details["since"] == f"{began:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert ledger.entries("production") == ()


def test_after_the_one_who_took_it_gave_it_back_the_old_holder_has_lost_it_all_the_same(ledger) -> None:
    janes = ledger.acquire("dev", "v1", "jane", "promote", 90, "t")
    new, _ = ledger.take("dev", "v1", "guard", "rollback", 60, "u")
    ledger.release(new)

    with pytest.raises(Refused, match="does not hold the lease on dev \\(v1\\) any more"):
        ledger.renew(janes, 90)


@pytest.mark.parametrize("before", ["nothing", "expired", "own"])
def test_a_lease_that_nobody_else_has_is_taken_from_nobody(ledger, clock, before) -> None:
    if before != "nothing":
        ledger.acquire("dev", "v1", "jane", "deploy", 90, "u" if before == "own" else "t")
    if before == "expired":
        clock.forward(91)

    new, old = ledger.take("dev", "v1", "john", "rollback", 60, "u")

    assert (new, old) == (ledger.lease("dev", "v1"), None)
    assert ledger.entries("dev") == ()


def test_a_lease_that_its_holder_reserved_is_used_by_the_next_command_of_the_same_holder_only(ledger) -> None:
    ledger.take("dev", "v1", "john (john@laptop)", "to deploy the fix", 90, "t", reserve=True)

    with pytest.raises(Refused, match="to deploy the fix"):
        ledger.acquire("dev", "v1", "jane (jane@laptop)", "deploy", 90, "u")
    used = ledger.acquire("dev", "v1", "john (john@laptop)", "deploy r-14", 90, "v")

    assert ledger.lease("dev", "v1") == used
    with pytest.raises(Refused, match="deploy r-14"):
        ledger.acquire("dev", "v1", "john (john@laptop)", "another deploy", 90, "w")


def test_a_lease_that_was_not_reserved_is_not_for_another_command_of_its_holder(ledger) -> None:
    ledger.take("dev", "v1", "john", "rollback", 90, "t")

    with pytest.raises(Refused, match="rollback"):
        ledger.acquire("dev", "v1", "john", "deploy", 90, "u")


def test_the_leases_of_an_environment_are_those_in_force_on_all_its_stages(ledger, clock) -> None:
    ledger.acquire("dev", "v1", "jane", "deploy", 30, "t")
    clock.forward(31)
    second = ledger.acquire("dev", "v2", "john", "deploy", 90, "u")
    third = ledger.acquire("dev", "v3", "ann", "deploy", 90, "w")
    ledger.acquire("staging", "v1", "jane", "deploy", 90, "x")

    assert ledger.leases("dev") == (second, third)
    assert ledger.leases("prod") == ()


def test_a_refusal_says_how_to_take_the_lease_over(ledger) -> None:
    ledger.acquire("prod", "v1", "jane", "deploy", 90, "t")

    with pytest.raises(Refused) as raised:
        ledger.acquire("prod", "v1", "john", "deploy", 90, "u")

    assert '`manuel-release lease take --env production --reason "WHY"`' in raised.value.hint


def test_all_who_take_it_at_the_same_moment_have_it_one_after_the_other(clock) -> None:
    table = MemoryTable()
    ledger = Ledger(table, clock)
    ledger.acquire("dev", "v1", "jane", "deploy", 90, "t")

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda name: Ledger(table, clock).take("dev", "v1", name, "rollback", 90, name), "abcd"))

    holders = [new.holder for new, _ in taken]
    assert ledger.lease("dev", "v1").holder in holders
    assert sorted(old.holder for _, old in taken) == sorted({"jane", *holders} - {ledger.lease("dev", "v1").holder})


class SlipperyTable(MemoryTable):
    """Whoever has a lease loses it to somebody else just before it can be replaced."""

    def replace_if(self, item, token):
        return False


def test_a_lease_that_always_slips_away_ends_in_an_error(clock) -> None:
    ledger = Ledger(SlipperyTable(), clock)
    ledger.acquire("dev", "v1", "jane", "deploy", 90, "t")

    with pytest.raises(ReleaseError, match=f"changed hands {TAKE_ATTEMPTS} times") as raised:
        ledger.take("dev", "v1", "john", "rollback", 90, "u")

    assert "manuel-release lease show --env dev" in raised.value.hint
