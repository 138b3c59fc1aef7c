from __future__ import annotations

from dataclasses import replace

from unit.observe.numbers import BEGAN, FUNCTION, SOURCE, Numbers, recorded

from manuel_release.observe.counts import (
    EDGES_MS,
    MinuteCounts,
    api_failures,
    fast_metrics,
    interval_counts,
    logged_metric,
    minute_counts,
    minute_metrics,
    served,
    unseen,
)


def test_recorded_answers_add_up_to_what_the_load_generator_saw() -> None:
    document, answers = recorded()
    sent = document["sent"]
    began = int(document["started_at"]) // 10 * 10
    times = range(began, int(document["ended_at"]) + 10, 10)
    for arm, release, before in ((SOURCE.stable, "r-1", 30), (SOURCE.canary, "r-2", 0)):
        counts = [interval_counts(answers.values, SOURCE, arm, at) for at in times]
        earlier = [interval_counts(answers.values, SOURCE, arm, at) for at in range(began - 60, began, 10)]
        assert sum(one.errors_4xx for one in counts) == sent[f"{release} 404"]
        assert sum(one.errors_5xx for one in counts) == 0
        requests = sum(one.requests for one in (*earlier, *counts))
        assert requests == sent[f"{release} 200"] + sent[f"{release} 404"] + before
        assert [sum(one.hist) for one in counts] == [one.requests for one in counts]
        assert sum(one.hist[0] for one in counts) == sum(one.requests for one in counts), "they took 12.5 ms"


def test_recorded_crashes_are_in_awss_own_counts_only() -> None:
    document, answers = recorded()
    began = int(document["started_at"]) // 60 * 60
    minutes = range(began, int(document["ended_at"]) + 60, 60)

    hidden = [unseen(answers.values, SOURCE, arm, minute) for arm in SOURCE.arms for minute in minutes]

    assert sum(one.errors_5xx for one in hidden) == document["sent"][" 502"] > 0
    assert sum(one.requests for one in hidden) == document["sent"][" 502"]
    assert sum(api_failures(answers.values, SOURCE, minute) for minute in minutes) == document["sent"][" 502"]


def test_functions_are_summed_and_arms_and_intervals_kept_apart() -> None:
    source = replace(SOURCE, functions=(FUNCTION, "manuel-usage-prod"))
    numbers = Numbers(source)
    numbers.serve(source.stable, 0, 10, errors_4xx=1)
    numbers.serve(source.stable, 0, 5, errors_5xx=2, function="manuel-usage-prod")
    numbers.serve(source.stable, 10, 100)
    numbers.serve(source.canary, 0, 3)

    stable = interval_counts(numbers.values, source, source.stable, BEGAN)

    assert (stable.requests, stable.errors_4xx, stable.errors_5xx) == (15, 1, 2)
    assert interval_counts(numbers.values, source, source.canary, BEGAN).requests == 3
    assert served(numbers.values, source, source.stable, FUNCTION, BEGAN) == 110


def test_latencies_fall_into_the_bucket_of_their_upper_edge_and_slower_ones_into_the_last() -> None:
    numbers = Numbers()
    for number, milliseconds in enumerate((50.0, 50.1, 5000.0, 10000.0, 10001.0), 1):
        numbers.serve(SOURCE.canary, 0, number, milliseconds=milliseconds)

    hist = interval_counts(numbers.values, SOURCE, SOURCE.canary, BEGAN).hist

    assert len(hist) == len(EDGES_MS) + 1
    assert {bucket: number for bucket, number in enumerate(hist) if number} == {0: 1, 1: 2, 9: 3, 10: 4, 11: 5}


def test_failed_queries_are_attempts_without_success() -> None:
    numbers = Numbers()
    numbers.serve(SOURCE.canary, 0, 20, successes=(12, 9))

    counters = interval_counts(numbers.values, SOURCE, SOURCE.canary, BEGAN).counters

    assert counters == {
        "quota_violations": 0,
        "queries": 12,
        "query_failures": 3,
        "transcriptions": 0,
        "transcription_failures": 0,
    }


def test_throttled_and_failed_invocations_are_requests_that_failed() -> None:
    numbers = Numbers()
    numbers.fail(SOURCE.canary, 5, errors=4, throttles=2)

    hidden = unseen(numbers.values, SOURCE, SOURCE.canary, BEGAN)

    assert (hidden.requests, hidden.errors_5xx) == (6, 6)
    assert hidden.counters == {"function_errors": 4, "throttles": 2}
    assert minute_counts(numbers.values, SOURCE.canary, FUNCTION, BEGAN) == MinuteCounts(4, 4, 2)
    assert unseen(numbers.values, SOURCE, SOURCE.stable, BEGAN).requests == 0


def test_eleven_functions_fit_into_one_call_as_the_documented_formula_says() -> None:
    source = replace(SOURCE, functions=tuple(f"f{number}" for number in range(11)))
    fast, minutes = fast_metrics(source), minute_metrics(source)

    assert len(set(fast)) == 38 * 11
    assert len(set(minutes)) == 6 * 11 + 1
    assert len(fast) + len(minutes) <= 500


def test_alias_metrics_name_function_and_alias_and_embedded_ones_function_and_release() -> None:
    fast, minutes = fast_metrics(SOURCE), minute_metrics(SOURCE)

    assert {metric.dimensions for metric in fast} == {
        (("service", FUNCTION), ("release", "r-1")),
        (("service", FUNCTION), ("release", "r-2")),
    }
    assert {metric.dimensions for metric in minutes} == {
        (("FunctionName", FUNCTION), ("Resource", f"{FUNCTION}:live")),
        (("FunctionName", FUNCTION), ("Resource", f"{FUNCTION}:r-2")),
        (("ApiName", "manuel-api-prod"), ("Stage", "v1")),
    }
    assert {metric.period for metric in fast} == {10}
    assert {metric.period for metric in minutes} == {60}


def test_what_the_access_log_knows_more_of_is_hidden_from_everything_else() -> None:
    numbers = Numbers()
    numbers.serve(SOURCE.canary, 0, 10, errors_5xx=2)
    numbers.fail(SOURCE.canary, 5, errors=3)
    known = {**numbers.values, logged_metric(canary=True): {BEGAN: 25}, logged_metric(canary=False): {BEGAN: 0}}

    assert unseen(known, SOURCE, SOURCE.canary, BEGAN).errors_5xx == 23
    assert unseen(known, SOURCE, SOURCE.canary, BEGAN).requests == 23
    assert unseen(known, SOURCE, SOURCE.stable, BEGAN).errors_5xx == 0


def test_a_failure_is_not_counted_twice_when_it_is_logged_in_the_next_minute() -> None:
    numbers = Numbers()
    numbers.serve(SOURCE.canary, -10, 10, errors_5xx=2)
    numbers.serve(SOURCE.canary, 60, 10, errors_5xx=1)
    known = {**numbers.values, logged_metric(canary=True): {BEGAN: 3}}

    assert unseen(known, SOURCE, SOURCE.canary, BEGAN).errors_5xx == 0


def test_an_access_log_that_knows_less_changes_nothing() -> None:
    numbers = Numbers()
    numbers.fail(SOURCE.canary, 5, errors=3)
    known = {**numbers.values, logged_metric(canary=True): {BEGAN: 1}}

    assert unseen(known, SOURCE, SOURCE.canary, BEGAN).errors_5xx == 3
