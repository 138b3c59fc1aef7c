from __future__ import annotations

from datetime import UTC, datetime, timedelta

from manuel_release.model.metric import Metric

START = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
END = START + timedelta(minutes=5)


def metric(number: int = 0) -> Metric:
    return Metric("Manuel/Application", f"Requests{number}", (("service", "f"), ("release", "r-2")), "Sum", 10)


def query(name: str, one: Metric) -> dict:
    dimensions = [{"Name": "service", "Value": "f"}, {"Name": "release", "Value": "r-2"}]
    asked = {"Namespace": one.namespace, "MetricName": one.name, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": asked, "Period": 10, "Stat": "Sum"}, "ReturnData": True}


def request(metrics: list[Metric], **more) -> dict:
    queries = [query(f"m{number}", one) for number, one in enumerate(metrics)]
    return {
        "MetricDataQueries": queries,
        "StartTime": START,
        "EndTime": END,
        "ScanBy": "TimestampAscending",
        **more,
    }


def answer(name: str, values: dict[int, float], status: str = "Complete") -> dict:
    times = [START + timedelta(seconds=seconds) for seconds in values]
    return {"Id": name, "Label": name, "Timestamps": times, "Values": list(values.values()), "StatusCode": status}


def at(seconds: int) -> int:
    return int(START.timestamp()) + seconds


def test_values_of_every_page_come_by_the_beginning_of_their_period(aws, stub) -> None:
    one, other = metric(1), metric(2)
    cloudwatch = stub("cloudwatch")
    cloudwatch.add_response(
        "get_metric_data",
        {
            "MetricDataResults": [answer("m0", {0: 3.0, 20: 4.0}), answer("m1", {0: 1.0}, "PartialData")],
            "NextToken": "more",
        },
        request([one, other]),
    )
    cloudwatch.add_response(
        "get_metric_data",
        {"MetricDataResults": [answer("m1", {30: 2.0})]},
        request([one, other], NextToken="more"),
    )

    found = aws.metrics.read([one, other], START, END)

    assert found.values == {one: {at(0): 3.0, at(20): 4.0}, other: {at(0): 1.0, at(30): 2.0}}
    assert found.failed == {}


def test_500_metrics_are_one_call_and_501_are_two(aws, stub, session) -> None:
    metrics = [metric(number) for number in range(501)]
    cloudwatch = stub("cloudwatch")
    for batch in (metrics[:500], metrics[500:]):
        results = [answer(f"m{number}", {0: float(number)}) for number in range(len(batch))]
        cloudwatch.add_response("get_metric_data", {"MetricDataResults": results}, request(batch))

    found = aws.metrics.read(metrics, START, END)

    assert session.count == 2
    assert found.values[metrics[499]] == {at(0): 499.0}
    assert found.values[metrics[500]] == {at(0): 0.0}


def test_a_metric_that_cannot_be_read_is_named_with_cloudwatchs_reason(aws, stub) -> None:
    fine, forbidden, silent, cut = (metric(number) for number in range(4))
    stub("cloudwatch").add_response(
        "get_metric_data",
        {
            "MetricDataResults": [
                answer("m0", {}),
                answer("m1", {}, "Forbidden"),
                answer("m3", {0: 1.0}, "PartialData"),
            ]
        },
        request([fine, forbidden, silent, cut]),
    )

    found = aws.metrics.read([fine, forbidden, silent, cut], START, END)

    assert found.failed == {forbidden: "Forbidden", silent: "no answer", cut: "PartialData"}
    assert found.values[fine] == {}
