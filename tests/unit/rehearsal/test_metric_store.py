"""The store of datapoints: exact statistics, exact dimensions, bounded memory."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manuel_release.rehearsal.emulator.metric_store import (
    MINUTES_KEPT,
    SECONDS_KEPT,
    MetricStore,
    Sample,
    StatisticSet,
    is_statistic,
    series_key,
)

HERE = ("123456789012", "eu-west-1")
KEY = series_key("N", "M", {"a": "1", "b": "2"})


def filled(store: MetricStore, when: float, *values: float, resolution: int = 1) -> None:
    store.record(
        HERE, "N", "M", {"b": "2", "a": "1"}, [(value, 1.0) for value in values], timestamp=when, resolution=resolution
    )


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.sampled_from([0.0, 10.0, 50.0, 95.0, 99.9, 100.0]))
def test_percentiles_interpolate_between_the_two_nearest_ranks(values: list[float], percent: float) -> None:
    sample = Sample()
    for value in values:
        sample.counts[value] += 1
    ordered = sorted(values)
    rank = percent / 100 * (len(ordered) - 1)
    low, high = ordered[int(rank)], ordered[min(int(rank) + 1, len(ordered) - 1)]
    assert sample.statistic(f"p{percent}") == pytest.approx(low + (rank - int(rank)) * (high - low), rel=1e-9, abs=1e-9)


def test_basic_statistics_weigh_counts_and_published_summaries() -> None:
    sample = Sample()
    sample.counts.update({1.0: 3.0, 5.0: 1.0})
    sample.sets.append(StatisticSet(count=2, total=12, low=0.5, high=11.5))
    assert sample.statistic("SampleCount") == 6
    assert sample.statistic("Sum") == 20
    assert sample.statistic("Average") == pytest.approx(20 / 6)
    assert sample.statistic("Minimum") == 0.5
    assert sample.statistic("Maximum") == 11.5


def test_percentiles_are_not_available_over_summaries_or_negative_values() -> None:
    summary = Sample()
    summary.sets.append(StatisticSet(count=2, total=12, low=0.5, high=11.5))
    assert summary.statistic("p50") is None
    negative = Sample()
    negative.counts[-1.0] = 1
    assert negative.statistic("p50") is None


def test_a_summary_of_one_repeated_value_counts_in_percentiles() -> None:
    sample = Sample()
    sample.sets.append(StatisticSet(count=4, total=20, low=5, high=5))
    assert sample.statistic("p95") == 5


def test_the_order_of_dimensions_does_not_matter_and_a_subset_is_another_series() -> None:
    store = MetricStore()
    filled(store, 100, 1.0)
    assert store.window(HERE, KEY, 100, 101) is not None
    assert store.window(HERE, series_key("N", "M", {"a": "1"}), 100, 101) is None
    assert store.window(("123456789012", "us-east-1"), KEY, 100, 101) is None


def test_a_window_includes_its_start_and_excludes_its_end() -> None:
    store = MetricStore()
    filled(store, 100.9, 1.0)
    filled(store, 105.0, 2.0)
    assert store.window(HERE, KEY, 101, 105) is None
    both = store.window(HERE, KEY, 100, 106)
    assert both is not None
    assert both.statistic("Sum") == 3


def test_a_wide_window_over_few_seconds_finds_them_too() -> None:
    store = MetricStore()
    for second in range(10):
        filled(store, second, 1.0)
    sample = store.window(HERE, KEY, 3, 7)
    assert sample is not None
    assert sample.statistic("Sum") == 4


def test_high_resolution_is_read_by_the_second_and_standard_resolution_by_the_minute() -> None:
    fine, coarse = MetricStore(), MetricStore()
    for store, resolution in ((fine, 1), (coarse, 60)):
        filled(store, 125, 1.0, resolution=resolution)
        filled(store, 135, 1.0, resolution=resolution)
    assert {when: sample.size() for when, sample in fine.periods(HERE, KEY, 120, 180, 10).items()} == {120: 1, 130: 1}
    assert {when: sample.size() for when, sample in coarse.periods(HERE, KEY, 120, 180, 10).items()} == {120: 2}


def test_another_unit_than_the_published_one_reads_nothing() -> None:
    store = MetricStore()
    filled(store, 60, 1.0)
    assert store.periods(HERE, KEY, 0, 120, 60, unit="Bytes") == {}
    assert store.periods(HERE, KEY, 0, 120, 60, unit="None") != {}


def test_seconds_become_minutes_after_three_hours_without_losing_a_percentile() -> None:
    store = MetricStore()
    rng = random.Random(7)
    values = [rng.uniform(1, 100) for _ in range(600)]
    for index, value in enumerate(values):
        filled(store, 6000 + index // 10, value)
    before = store.window(HERE, KEY, 6000, 6060)
    store.prune(6060 + SECONDS_KEPT + 60)
    series = store.listing(HERE)[0]
    after = store.window(HERE, KEY, 6000, 6060)
    assert len(series.buckets) == 1
    assert before is not None
    assert after is not None
    for name in ("p50", "p95", "Sum", "SampleCount"):
        assert after.statistic(name) == pytest.approx(before.statistic(name))


def test_datapoints_are_forgotten_after_fifteen_days() -> None:
    store = MetricStore()
    filled(store, 1000, 1.0)
    store.prune(1001 + MINUTES_KEPT)
    assert store.listing(HERE)[0].buckets == {}


def test_many_equal_values_in_a_second_take_one_entry() -> None:
    store = MetricStore()
    for _ in range(10_000):
        filled(store, 50.5, 1.0)
    assert len(store.listing(HERE)[0].buckets[50].counts) == 1


@pytest.mark.parametrize(("statistic", "count"), [("TC(:50)", 3), ("TC(50:100)", 2), ("TC(100:)", 1), ("TC(:0.5)", 0)])
def test_a_trimmed_count_excludes_its_lower_bound_and_includes_its_upper_one(statistic: str, count: int) -> None:
    sample = Sample()
    sample.counts.update({1.0: 1, 50.0: 2, 50.1: 1, 100.0: 1, 100.5: 1})
    assert is_statistic(statistic)
    assert sample.statistic(statistic) == count


def test_a_trimmed_count_is_not_available_over_summaries() -> None:
    sample = Sample()
    sample.sets.append(StatisticSet(count=2, total=12, low=0.5, high=11.5))
    assert sample.statistic("TC(:50)") is None
