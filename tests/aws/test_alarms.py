from __future__ import annotations

from manuel_release.model.traffic import Alarm

ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:"


def test_alarms_of_every_page_and_both_kinds_come_in_the_order_of_their_names(aws, stub) -> None:
    def metric(name, **more):
        return {"AlarmName": name, "AlarmArn": ARN + name, **more}

    asked = {"AlarmNamePrefix": "manuel-dev-", "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
    cloudwatch = stub("cloudwatch")
    cloudwatch.add_response(
        "describe_alarms",
        {"MetricAlarms": [metric("manuel-dev-c", StateValue="OK")], "NextToken": "more"},
        asked,
    )
    cloudwatch.add_response(
        "describe_alarms",
        {
            "MetricAlarms": [metric("manuel-dev-a", StateValue="ALARM", StateReason="3 of 3 datapoints")],
            "CompositeAlarms": [metric("manuel-dev-b", StateValue="INSUFFICIENT_DATA")],
        },
        {**asked, "NextToken": "more"},
    )

    assert aws.alarms.by_prefix("manuel-dev-") == (
        Alarm("manuel-dev-a", ARN + "manuel-dev-a", "ALARM", "3 of 3 datapoints"),
        Alarm("manuel-dev-b", ARN + "manuel-dev-b", "INSUFFICIENT_DATA"),
        Alarm("manuel-dev-c", ARN + "manuel-dev-c", "OK"),
    )
