from __future__ import annotations

from dataclasses import replace

import pytest
from unit.observe.numbers import BEGAN, FUNCTION, SOURCE, Numbers

from manuel_release.observe.agreement import disagreements


@pytest.fixture
def numbers() -> Numbers:
    """Two minutes in which everything is counted twice and alike."""
    made = Numbers()
    for seconds in range(0, 120, 10):
        made.serve(SOURCE.stable, seconds, 90, errors_5xx=1)
        made.serve(SOURCE.canary, seconds, 10)
    return made


def said(numbers: Numbers) -> list[str]:
    return [one.sentence for one in disagreements(numbers.values, numbers.source, (BEGAN, BEGAN + 60))]


def test_sources_that_count_alike_agree(numbers) -> None:
    assert said(numbers) == []


def test_crashes_and_throttles_explain_why_embedded_metrics_are_missing(numbers) -> None:
    numbers.fail(SOURCE.canary, 30, errors=20, throttles=20)

    assert said(numbers) == []


@pytest.mark.parametrize(("more", "doubted"), [(3, False), (4, True)])
def test_invocations_that_left_no_embedded_metric_are_a_disagreement(numbers, more, doubted) -> None:
    numbers.serve(SOURCE.canary, 30, 0, invocations=more)

    assert bool(said(numbers)) is doubted
    if doubted:
        assert said(numbers) == [
            f"{FUNCTION}:r-2 ended 124 invocations by AWS/Lambda and served 120 requests by its own metrics of r-2."
        ]


def test_missing_answers_of_lambda_are_a_disagreement(numbers) -> None:
    lost = {metric: {} for metric in numbers.values if metric.namespace == "AWS/Lambda"}
    numbers.values.update(lost)

    assert len(said(numbers)) == 2


def test_a_tolerated_share_is_of_all_minutes_together(numbers) -> None:
    numbers.serve(SOURCE.stable, 30, 0, invocations=21)  # 2 % of 1,080 are 21.6

    assert said(numbers) == []
    numbers.serve(SOURCE.stable, 30, 0, invocations=2)
    assert len(said(numbers)) == 1


def test_a_function_that_serves_no_requests_is_left_out(numbers) -> None:
    numbers.source = replace(SOURCE, functions=(FUNCTION, "manuel-nightly-prod"))
    numbers.serve(SOURCE.stable, 30, 0, invocations=500, function="manuel-nightly-prod")

    assert said(numbers) == []


def test_a_function_that_stopped_writing_in_the_canary_only_is_seen(numbers) -> None:
    numbers.source = replace(SOURCE, functions=(FUNCTION, "manuel-usage-prod"))
    numbers.serve(SOURCE.stable, 0, 50, function="manuel-usage-prod")
    numbers.serve(SOURCE.canary, 0, 0, invocations=9, function="manuel-usage-prod")

    assert [sentence.split()[0] for sentence in said(numbers)] == ["manuel-usage-prod:r-2"]


@pytest.mark.parametrize(("stray", "doubted"), [(2, False), (3, True)])
def test_failures_of_the_api_that_no_function_knows_are_a_disagreement(numbers, stray, doubted) -> None:
    numbers.api_failures(30, stray)

    assert bool(said(numbers)) is doubted
    if doubted:
        assert said(numbers) == ["The API failed 15 times, and the functions of both arms account for 12."]


def test_failures_that_the_api_does_not_count_are_none_of_its_requests(numbers) -> None:
    numbers.api_failures(30, -12)

    assert said(numbers) == []
