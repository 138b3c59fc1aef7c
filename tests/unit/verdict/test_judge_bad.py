"""What rolls a canary back, and with which numbers."""

from __future__ import annotations

import pytest
from unit.verdict.traffic import BROKEN, EDGES_MS, HEALTHY, SLOWER, arm, feed, judged, signal

from manuel_release.verdict import Settings, Value


def test_a_broken_canary_is_rolled_back_in_the_first_interval() -> None:
    verdict = judged().update(10, *BROKEN)

    assert verdict.value == "rollback"
    assert verdict.word == "bad"
    assert verdict.decided_at == 10
    assert "5xx errors 30 % (30 of 100) on the canary against 0.56 % (5 of 900) on stable" in verdict.sentence
    assert "limit 167 to 1" in verdict.sentence


def test_a_ruling_to_roll_back_stands_while_traffic_is_moved_away() -> None:
    judge = judged()
    judge.update(10, *BROKEN)
    verdict = feed(judge, [(arm(1000, 5, weight=0.0), arm(0, weight=0.0))] * 30, start=10)

    assert verdict.value is Value.ROLLBACK
    assert verdict.decided_at == 10
    assert "30 of 100" in verdict.sentence


def test_a_slower_canary_is_rolled_back_with_its_p95() -> None:
    slow = (arm(900, 5), arm(100, 0, shares=SLOWER))
    verdict = feed(judged(Settings(edges_ms=EDGES_MS)), [HEALTHY] * 7 + [slow] * 20)

    assert verdict.value is Value.ROLLBACK
    assert "slow requests" in verdict.sentence
    assert "P95" in verdict.sentence
    found = signal(verdict, "latency")
    assert found.canary.p95_ms > 1.2 * found.stable.p95_ms


def test_client_errors_are_a_signal_of_their_own() -> None:
    verdict = feed(judged(), [(arm(900, 5, 9), arm(100, 0, 30))] * 3)

    assert verdict.value is Value.ROLLBACK
    assert "4xx errors" in verdict.sentence


def test_business_counters_roll_back_although_every_answer_is_200() -> None:
    chosen = Settings(business=("query_failures", "throttles"))
    good = {"queries": 300, "query_failures": 3, "throttles": 0}
    bad = {"queries": 33, "query_failures": 15, "throttles": 0}
    verdict = feed(judged(chosen), [(arm(900, 5, counters=good), arm(100, 0, counters=bad))] * 4)

    assert verdict.value is Value.ROLLBACK
    assert "failed queries 45.5 % (15 of 33) on the canary" in verdict.sentence


def test_evidence_of_the_first_step_counts_in_the_second() -> None:
    leaning = (arm(900, 5), arm(100, 3))
    raised = (arm(500, 2, weight=0.5), arm(500, 9, weight=0.5))
    carried, fresh = judged(), judged()
    feed(carried, [leaning] * 4)

    assert feed(carried, [raised] * 2, start=40).value is Value.ROLLBACK
    assert feed(fresh, [raised] * 2, start=40).value is not Value.ROLLBACK


def test_requests_that_arrive_late_after_an_abort_are_not_evidence() -> None:
    verdict = feed(judged(), [HEALTHY] * 5 + [(arm(1000, 5, weight=0.0), arm(9, 4, weight=0.0))] * 3)

    assert verdict.value is Value.CONTINUE


@pytest.mark.parametrize("edges_ms", [(), EDGES_MS])
def test_when_the_stable_arm_is_silent_its_past_says_what_is_slow(edges_ms: tuple[float, ...]) -> None:
    very_slow = (0.0,) * 7 + (1.0, 0.0)
    judge = judged(Settings(edges_ms=edges_ms), requests=18, errors=0)
    feed(judge, [(arm(18), arm(2))] * 10 + [(arm(18, shares=SLOWER), arm(2))] * 4)
    verdict = feed(judge, [(arm(0), arm(4, shares=very_slow))] * 3, start=140)

    assert verdict.value is Value.ROLLBACK
    assert signal(verdict, "latency").stable.requests == 0


def test_the_numbers_of_a_bad_canary_are_those_since_it_became_bad() -> None:
    clean = (arm(900, 0), arm(100, 0))
    verdict = feed(judged(errors=0), [clean] * 30 + [(arm(900, 0), arm(100, 3))])
    found = signal(verdict, "5xx")

    assert "3.0 % (3 of 100) on the canary against 0 % (0 of 900) on stable in 10 s" in verdict.sentence
    assert (found.since, found.window_seconds) == (300.0, 10.0)


def test_the_numbers_before_a_decision_are_those_of_the_whole_release() -> None:
    found = signal(feed(judged(), [HEALTHY] * 5), "5xx")

    assert (found.since, found.window_seconds) == (0.0, 50.0)
    assert (found.canary.requests, found.stable.requests, found.stable.events) == (500, 4500, 25)
