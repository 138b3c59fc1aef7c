"""Judged intervals and heartbeats."""

from __future__ import annotations

from datetime import timedelta

from manuel_release.model.heartbeat import Heartbeat


def test_intervals_come_back_oldest_first_also_those_before_the_canary(ledger) -> None:
    for t in (20.0, -10, 10.5, -20, 1_790_000_000.0, 100):
        assert ledger.put_counts("prod", "r-13", t, {"requests": t})

    found = ledger.counts("production", "r-13")

    assert [t for t, _ in found] == [-20.0, -10.0, 10.5, 20.0, 100.0, 1_790_000_000.0]
    assert [payload["requests"] for _, payload in found] == [t for t, _ in found]


def test_intervals_are_those_of_the_release(ledger) -> None:
    ledger.put_counts("dev", "r-1", 10, {"requests": 1})
    ledger.put_counts("dev", "r-10", 10, {"requests": 10})
    ledger.put_counts("staging", "r-1", 10, {"requests": 100})

    assert ledger.counts("dev", "r-1") == ((10.0, {"requests": 1}),)
    assert ledger.counts("dev", "r-2") == ()


def test_an_interval_that_was_judged_is_not_judged_again(ledger) -> None:
    payload = {"stable": {"hist": (3, 90), "weight": 0.1}, "canary": None}

    assert ledger.put_counts("dev", "r-1", 10, payload)
    assert ledger.put_counts("dev", "r-1", 10, payload)
    assert not ledger.put_counts("dev", "r-1", 10, {"stable": None})

    assert ledger.counts("dev", "r-1") == ((10.0, {"stable": {"hist": [3, 90], "weight": 0.1}, "canary": None}),)


def test_the_last_sign_of_life_counts(ledger, clock) -> None:
    assert ledger.heartbeat("dev", "v1") is None
    until = clock.now + timedelta(minutes=15)
    ledger.beat("prod", "v1", "r-13", clock.now, until, "jane")
    clock.forward(10)
    ledger.beat("prod", "v1", "r-13", clock.now, until, "john")
    ledger.beat("prod", "v2", "r-14", clock.now, until, "ann")

    assert ledger.heartbeat("production", "v1") == Heartbeat("production", "v1", "r-13", clock.now, until, "john")
    assert ledger.heartbeat("production", "v2").release == "r-14"
