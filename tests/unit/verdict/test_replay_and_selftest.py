"""Recorded releases, and the self-test on one's own traffic."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from unit.verdict.traffic import arm, drawn, poisson, release

from manuel_release.verdict import ArmCounts, Routing, Settings, Value, Verdict
from manuel_release.verdict.replay import RecordedInterval, Recording, read_csv, replay, summarise, write_csv
from manuel_release.verdict.selftest import cut, self_test, thin, wilson


def recorded(name: str, canary_5xx: float) -> Recording:
    random = Random(name)
    pairs = list(release(random, per_second=20, stable_5xx=0.005, canary_5xx=canary_5xx, weights=(0.1,) * 30))
    warmup = tuple(RecordedInterval(10.0 * (i - 20), arm(180, 1), None) for i in range(20))
    return Recording(name, warmup, tuple(RecordedInterval(10.0 * (i + 1), *pair) for i, pair in enumerate(pairs)))


def test_a_recording_survives_the_csv() -> None:
    good = recorded("r-12", 0.005)
    counted = arm(100, 2, counters={"queries": 30, "query_failures": 2}, complete=False)
    odd = Recording("r-13", (), (RecordedInterval(10.0, counted, None), RecordedInterval(20.5, None, arm(5))))

    lines = list(write_csv([good, odd]))
    read = read_csv(lines)
    assert [one.release for one in read] == ["r-12", "r-13"]
    assert read[0].intervals == good.intervals
    assert read[1] == odd
    assert [interval.stable for interval in read[0].warmup] == [interval.stable for interval in good.warmup]


def test_columns_that_do_not_matter_may_be_absent() -> None:
    (one,) = read_csv(["t,arm,weight,requests,errors_4xx,errors_5xx", "10,canary,0.1,5,0,1", "10,stable,0.1,45,0,0"])

    assert one == Recording(
        "", (), (RecordedInterval(10.0, ArmCounts(45, 0, 0, (), 0.1), ArmCounts(5, 0, 1, (), 0.1)),)
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("r-1,10,green,0.1,5,0,1", "line 3 .* arm is 'green'"),
        ("r-1,ten,canary,0.1,5,0,1", "line 3 .*ten"),
        ("r-1,10,canary,0.1", "line 3"),
        ("r-1,5,stable,0.1,9,0,0", "line 3 .* repeats stable at 5 s of r-1"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_csv(["release,t,arm,weight,requests,errors_4xx,errors_5xx", "r-1,5,stable,0.1,9,0,0", line])


def test_a_file_without_the_needed_columns_says_which() -> None:
    with pytest.raises(ValueError, match="no column weight, errors_5xx"):
        read_csv(["t,arm,requests,errors_4xx", "10,stable,5,0"])


def test_a_bad_release_would_have_been_stopped_and_its_failures_counted() -> None:
    seen: list[Verdict] = []
    bad = replay(recorded("r-13", 0.2), each=seen.append)

    assert bad.stopped
    assert bad.stopped_at is not None
    assert bad.verdict.t == bad.stopped_at
    assert len(seen) == 30
    recording = recorded("r-13", 0.2)
    before = [i for i in recording.intervals if i.t <= bad.stopped_at]
    assert bad.failures_before == sum(i.canary.errors_5xx for i in before if i.canary)
    total = sum(i.canary.errors_5xx for i in recording.intervals if i.canary)
    assert bad.failures_before + bad.failures_after == total


def test_replaying_the_counts_gives_the_same_judge_again() -> None:
    assert replay(recorded("r-12", 0.005)) == replay(recorded("r-12", 0.005))


def test_the_last_interval_before_the_canary_ends_at_0_and_is_warm_up() -> None:
    good = recorded("r-12", 0.005)
    ends = Recording("r-12", tuple(replace(i, t=i.t + 10.0) for i in good.warmup), good.intervals)
    (read,) = read_csv(write_csv([ends]))

    assert [interval.t for interval in read.warmup][-1] == 0.0
    assert read.intervals == good.intervals
    assert replay(read).verdict.t == 300.0


def test_a_replay_judges_the_business_counters_that_were_recorded() -> None:
    def pair(failed: int, counter: str) -> RecordedInterval:
        return RecordedInterval(
            10.0,
            arm(180, counters={"queries": 90, "transcriptions": 90, counter: 1}),
            arm(20, counters={"queries": 10, "transcriptions": 10, counter: failed}),
        )

    for counter in ("query_failures", "transcription_failures", "quota_failures", "quota_violations"):
        for failed in (0, 8):
            one = pair(failed, counter)
            recording = Recording("r-9", (), tuple(replace(one, t=10.0 * (i + 1)) for i in range(6)))
            assert replay(recording).stopped is (failed > 0)
            assert not replay(recording, settings=Settings()).stopped


def test_the_summary_tells_bad_releases_stopped_from_good_ones() -> None:
    replays = [replay(recorded(f"r-{n}", rate)) for n, rate in enumerate((0.2, 0.3, 0.005, 0.005))]
    summary = summarise(replays, {"r-0", "r-1"})

    assert (summary.bad, summary.bad_stopped, summary.good, summary.good_stopped) == (2, 2, 2, 0)
    assert summary.failures_spared == sum(one.failures_after for one in replays[:2])
    assert summary.sentence.startswith("Of 2 bad releases 2 would have been stopped")


def test_a_recording_without_intervals_is_refused() -> None:
    with pytest.raises(ValueError, match="no interval"):
        replay(Recording("r-1", (), ()))


def history(seed: str, per_interval: float, rate: float, run: int = 1) -> list[ArmCounts]:
    random = Random(seed)
    intervals = []
    for _ in range(90):
        n = poisson(random, per_interval)
        errors = min(n, run * poisson(random, n * rate / run))
        intervals.append(ArmCounts(n, min(n - errors, poisson(random, 1.0)), errors, drawn(random, n, (0.5, 0.4, 0.1))))
    return intervals


def test_harmless_canaries_cut_from_ones_own_traffic_are_not_rolled_back() -> None:
    result = self_test(history("own", 60, 0.02), runs=60, seed=1)

    assert result.runs == 60
    assert result.false_alarms <= 2
    assert result.holds
    assert result.low_percent <= result.percent <= result.high_percent
    assert f"{result.false_alarms} of 60 harmless canaries" in result.sentence


def test_the_self_test_shows_what_a_router_that_keeps_users_would_do() -> None:
    traffic = history("sticky", 100, 0.04, run=1)
    chosen = Settings(routing=Routing.PER_REQUEST)

    assert not self_test(traffic, runs=30, seed=2, settings=chosen, run_length=6).holds
    assert self_test(traffic, runs=30, seed=2, settings=chosen).holds


def test_the_self_test_counts_runs_that_end_as_good() -> None:
    result = self_test(history("clean", 400, 0.0), runs=4, seed=3)

    assert result.good == 4


def test_the_self_test_is_reproducible() -> None:
    traffic = history("again", 60, 0.02)

    assert self_test(traffic, runs=5, seed=4) == self_test(traffic, runs=5, seed=4)


def test_too_little_traffic_for_a_self_test_is_refused() -> None:
    with pytest.raises(ValueError, match="at least three"):
        self_test([arm(10)] * 2, runs=1, seed=1)


def test_the_first_third_of_the_traffic_is_the_past() -> None:
    other_buckets = [ArmCounts(100, 0, 0, (50, 50))] * 10
    with pytest.raises(ValueError, match="buckets changed"):
        self_test([*other_buckets, *history("rest", 60, 0.02)[:20]], runs=1, seed=1)


def test_cutting_traffic_loses_and_invents_nothing() -> None:
    random = Random("cut")
    whole = arm(500, 9, 20, counters={"queries": 70})
    taken = []
    for _ in range(50):
        stable, canary = cut(random, whole, 0.3)
        taken.append(canary.requests)
        assert stable.requests + canary.requests == 500
        assert stable.errors_5xx + canary.errors_5xx == 9
        assert stable.errors_4xx + canary.errors_4xx == 20
        assert tuple(a + b for a, b in zip(stable.hist, canary.hist, strict=True)) == whole.hist
        assert stable.counters["queries"] + canary.counters["queries"] == 70
        assert canary.weight == 0.3
    assert 130 < sum(taken) / 50 < 170


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.8, 1.0])
def test_thinning_takes_the_share(p: float) -> None:
    random = Random("thin")
    taken = [thin(random, 100, p) for _ in range(300)]

    assert all(0 <= k <= 100 for k in taken)
    assert abs(sum(taken) / 300 - 100 * p) < 1.5
    assert all(k % 7 in {0, 100 % 7} for k in (thin(random, 100, p, 7) for _ in range(50)))


def test_the_wilson_interval_is_the_published_one() -> None:
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(8, 263) == pytest.approx((0.0154, 0.0588), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_replayed_promotion_is_dated() -> None:
    pairs = tuple(RecordedInterval(10.0 * (i + 1), arm(1800, 0), arm(200, 0)) for i in range(20))
    warmup = tuple(RecordedInterval(10.0 * (i - 30), arm(1800, 0), None) for i in range(30))
    one = replay(Recording("r-9", warmup, pairs))

    assert one.verdict.value is Value.PROMOTE
    assert one.good_at is not None
    assert 0 < one.good_at < 200
    assert not one.stopped
