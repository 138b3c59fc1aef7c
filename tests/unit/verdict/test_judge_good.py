"""When a canary is called good, and what stands in the way."""

from __future__ import annotations

import pytest
from unit.verdict.traffic import COLD, arm, feed, judged, signal

from manuel_release.verdict import ArmCounts, Finding, Judge, Routing, Settings, Value, Verdict


def test_a_healthy_canary_is_promoted_and_the_numbers_say_why() -> None:
    verdict = feed(judged(), [(arm(1800, 0), arm(200, 0))] * 20)

    assert verdict.value == "promote"
    assert verdict.word == "good"
    assert (verdict.missing_requests, verdict.missing_seconds) == (0, 0.0)
    assert [one.finding for one in verdict.signals] == [Finding.GOOD] * 3
    assert "5xx errors 0 % (0 of 4,000) against 0 % (0 of 36,000)" in verdict.sentence


def test_too_few_requests_are_no_verdict_and_the_missing_ones_are_counted() -> None:
    verdict = feed(judged(), [(arm(90, 0), arm(10, 0))] * 8)

    assert verdict.value == "continue"
    assert verdict.word == "cannot tell yet"
    assert verdict.missing_requests is not None
    assert verdict.missing_requests > 100
    assert verdict.missing_seconds == pytest.approx(verdict.missing_requests / 1.0)
    assert f"good needs about {verdict.missing_requests:,} more canary requests" in verdict.sentence


def test_the_missing_requests_are_about_those_that_are_then_needed() -> None:
    judge = judged()
    verdict = feed(judge, [(arm(1800, 9), arm(200, 1))] * 7)
    missing = verdict.missing_requests
    assert missing is not None
    needed = 0
    for i in range(8, 400):
        verdict = judge.update(10.0 * i, arm(1800, 9), arm(200, 1))
        if verdict.value is Value.PROMOTE:
            break
        needed += 200

    assert verdict.value is Value.PROMOTE
    assert 0.8 * missing <= needed <= 1.25 * missing + 200


def test_cold_starts_do_not_count_against_a_promotion() -> None:
    cold = (arm(1800, 0), arm(200, 0, shares=COLD))
    patient = feed(judged(), [cold])
    hasty = feed(judged(Settings(start_grace_seconds=0, step_grace_seconds=0, grace_requests=0)), [cold])

    assert signal(patient, "latency").missing_requests > 0
    assert hasty.value is Value.ROLLBACK


def test_a_business_counter_that_is_not_measured_is_never_good() -> None:
    chosen = Settings(business=("query_failures",))
    counted = {"queries": 600, "query_failures": 6}
    intervals = [(arm(1800, counters=counted), arm(200, counters={"queries": 66, "query_failures": 0}))] * 20

    assert feed(judged(chosen), intervals).value is Value.PROMOTE
    verdict = feed(judged(chosen), [(stable, arm(200)) for stable, _ in intervals])
    assert verdict.value is Value.CONTINUE
    assert verdict.sentence == "Cannot tell yet: no data on failed queries."


def test_latency_that_is_not_measured_is_never_good() -> None:
    blind = (ArmCounts(1800, 0, 0, (), 0.1), ArmCounts(200, 0, 0, (), 0.1))
    verdict = feed(Judge(), [blind] * 60)

    assert verdict.value is Value.CONTINUE
    assert verdict.missing_requests is None


@pytest.mark.parametrize("missing", [0, 1])
def test_missing_counts_are_cannot_tell_yet_for_a_minute(missing: int) -> None:
    judge = judged()
    good = (arm(1800, 0), arm(200, 0))
    assert feed(judge, [good] * 20).value is Value.PROMOTE
    pair: list[ArmCounts | None] = list(good)
    pair[missing] = None

    verdict = judge.update(210, *pair)
    assert (verdict.value, verdict.word) == (Value.CONTINUE, "cannot tell yet")
    assert "missing" in verdict.sentence
    assert feed(judge, [good] * 6, start=210).value is Value.CONTINUE
    assert judge.update(280, *good).value is Value.PROMOTE


def test_counts_that_contradict_each_other_are_never_good_but_may_be_bad() -> None:
    doubtful = (arm(1800, 0, complete=False), arm(200, 0))
    assert feed(judged(), [doubtful] * 30).value is Value.CONTINUE
    assert feed(judged(), [(arm(900, 5, complete=False), arm(100, 30))] * 2).value is Value.ROLLBACK


def test_more_errors_than_requests_are_late_metrics_and_not_a_crash() -> None:
    verdict = feed(judged(), [(arm(1800, 0), ArmCounts(0, 0, 1, (0,) * 9, 0.1))] * 2)

    assert verdict.canary.requests == 2
    assert "contradict" in verdict.sentence


def test_good_has_to_be_shown_again_at_a_raised_weight() -> None:
    judge = judged()
    assert feed(judge, [(arm(1800, 0), arm(200, 0))] * 20).value is Value.PROMOTE
    raised = (arm(1000, 0, weight=0.5), arm(1000, 0, weight=0.5))

    assert judge.update(210, *raised).value is Value.CONTINUE
    assert feed(judge, [raised] * 12, start=210).value is Value.PROMOTE


def test_without_two_arms_there_is_nothing_to_compare() -> None:
    verdict = feed(judged(), [(arm(0, weight=1.0), arm(1000, 500, weight=1.0))] * 5)

    assert verdict.value is Value.CONTINUE
    assert "not two arms" in verdict.sentence


def test_without_a_past_there_is_no_latency_verdict_yet() -> None:
    verdict = Judge().update(10, arm(10), arm(1))

    assert signal(verdict, "latency").finding is Finding.NO_DATA
    assert verdict.sentence == "Cannot tell yet: no data on slow requests."


def test_users_that_stay_on_an_arm_make_good_cost_more() -> None:
    clean = [(arm(1800, 0), arm(200, 0))] * 2
    missing = [
        feed(judged(Settings(routing=routing), errors=0), clean).missing_requests or 0
        for routing in (Routing.PER_REQUEST, Routing.PER_USER)
    ]

    assert missing[1] > 6 * missing[0] > 0


def test_nothing_is_good_while_a_signal_leans_to_bad() -> None:
    judge = judged(errors=0)
    assert feed(judge, [(arm(1800, 0), arm(200, 0))] * 40).value is Value.PROMOTE
    verdict = judge.update(410, arm(1800, 0), arm(200, 2))

    assert signal(verdict, "5xx").towards_good == 1.0
    assert verdict.value is Value.CONTINUE
    assert "it leans to bad" in verdict.sentence


def test_good_is_dated_when_it_was_first_shown_and_again_after_a_doubt() -> None:
    judge = judged()
    good = (arm(1800, 0), arm(200, 0))
    first = feed(judge, [good] * 20).decided_at
    assert first is not None
    assert judge.update(210, *good).decided_at == first < 210
    assert judge.update(220, None, good[1]).decided_at is None
    assert feed(judge, [good] * 7, start=220).decided_at == 290


@pytest.mark.parametrize("canary", [(50, 30, 20), (40, 40, 20), (44, 34, 22)])
def test_a_p95_in_the_last_bucket_is_no_proof_from_nothing(canary: tuple[int, ...]) -> None:
    def verdict(after: tuple[int, ...], intervals: int) -> Verdict:
        judge = Judge()
        usual = ArmCounts(900, 0, 0, (450, 360, 90), 0.1)
        for i in range(30):
            judge.warmup(10.0 * (i - 30), usual)
        return feed(judge, [(usual, ArmCounts(100, 0, 0, after, 0.1))] * intervals)

    assert verdict((50, 40, 10), 60).value is Value.PROMOTE
    assert verdict(canary, 60).value is not Value.PROMOTE


@pytest.mark.parametrize("usual", [(900,), (0, 900), (0, 300, 600)])
def test_buckets_that_most_requests_exceed_are_never_good(usual: tuple[int, ...]) -> None:
    stable, canary = ArmCounts(900, 0, 0, usual, 0.1), ArmCounts(100, 0, 0, tuple(n // 9 for n in usual), 0.1)
    judge = Judge()
    for i in range(30):
        judge.warmup(10.0 * (i - 30), stable)
    verdict = feed(judge, [(stable, canary)] * 60)

    assert verdict.value is Value.CONTINUE
    assert signal(verdict, "5xx").finding is Finding.GOOD
    assert signal(verdict, "latency").finding is Finding.NO_DATA


def test_a_slower_canary_is_found_also_where_most_requests_exceed_the_buckets() -> None:
    usual = ArmCounts(900, 0, 0, (90, 270, 540), 0.1)
    judge = Judge()
    for i in range(30):
        judge.warmup(10.0 * (i - 30), usual)
    verdict = feed(judge, [(usual, ArmCounts(100, 0, 0, (0, 8, 92), 0.1))] * 20)

    assert verdict.value is Value.ROLLBACK
    assert "slow requests" in verdict.sentence
