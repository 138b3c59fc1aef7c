from __future__ import annotations

from manuel_release.model.alarm import AlarmDefinition, Comparison, Signal
from manuel_release.model.metric import Metric
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


def test_an_alarm_of_a_release_is_metric_math_that_only_changes_its_state(aws, stub) -> None:
    metric = Metric("AWS/Lambda", "Errors", (("FunctionName", "manuel-query-prod"),), "Sum", 300)
    stub("cloudwatch").add_response(
        "put_metric_alarm",
        {},
        {
            "AlarmName": "manuel-prod-r-13-5xx",
            "AlarmDescription": "r-13: too many.",
            "ActionsEnabled": False,
            "Metrics": [
                {"Id": "watched", "Expression": "FILL(e1, 0)", "Label": "5xx", "ReturnData": True},
                {
                    "Id": "e1",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/Lambda",
                            "MetricName": "Errors",
                            "Dimensions": [{"Name": "FunctionName", "Value": "manuel-query-prod"}],
                        },
                        "Period": 300,
                        "Stat": "Sum",
                    },
                    "ReturnData": False,
                },
            ],
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 5,
            "EvaluationPeriods": 2,
            "DatapointsToAlarm": 2,
            "TreatMissingData": "notBreaching",
        },
    )

    aws.alarms.put(
        AlarmDefinition(
            name="manuel-prod-r-13-5xx",
            signal=Signal.SERVER_ERRORS,
            description="r-13: too many.",
            expression="FILL(e1, 0)",
            metrics={"e1": metric},
            comparison=Comparison.ABOVE,
            threshold=5,
            periods=2,
        )
    )


def test_alarms_are_deleted_a_hundred_at_a_time(aws, stub) -> None:
    names = [f"manuel-prod-r-{number}-5xx" for number in range(1, 102)]
    cloudwatch = stub("cloudwatch")
    cloudwatch.add_response("delete_alarms", {}, {"AlarmNames": names[:100]})
    cloudwatch.add_response("delete_alarms", {}, {"AlarmNames": names[100:]})

    aws.alarms.delete(names)
