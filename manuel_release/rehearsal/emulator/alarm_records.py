"""Metric alarms as they are written: PutMetricAlarm and AWS::CloudWatch::Alarm, checked and stored.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html; the template's
properties have the API's names. What the alarm engine could not evaluate is refused here with a ValidationError.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ministack.core import responses
from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from manuel_release.rehearsal.emulator import query_protocol
from manuel_release.rehearsal.emulator.alarm_evaluation import COMPARISONS, TREATMENTS
from manuel_release.rehearsal.emulator.metric_math import MathError
from manuel_release.rehearsal.emulator.metric_queries import check_period, kinds_of, parse_queries, truth
from manuel_release.rehearsal.emulator.metric_store import BASIC_STATISTICS, percentile_of

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.metric_queries import Query

    Answer = tuple[int, dict[str, str], bytes]

REQUIRES = {
    "ministack.services.cloudwatch._alarms": None,
    "ministack.services.cloudwatch._put_metric_alarm": ("params", "cbor_data", "is_cbor", "is_json"),
    "ministack.services.cloudwatch._alarm_request_tags": ("params", "cbor_data", "is_cbor", "is_json"),
    "ministack.services.cloudwatch._alarm_tags_refusal": (
        "tags",
        "datapoints",
        "is_new",
        "is_cbor",
        "is_json",
        "composite",
    ),
    "ministack.services.cloudwatch._resource_tags": None,
    "ministack.services.cloudwatch.cloudformation_put_metric_alarm": ("alarm",),
    "ministack.services.cloudformation.provisioners._cw_metric_alarm_record": ("name", "props"),
}

_METRIC_KEYS = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
MOST_OF_A_KIND = 10
"""Metrics, and expressions besides: boto3's reference of the `Metrics` of an alarm."""


def queries_of(alarm: dict[str, Any]) -> list[Query]:
    """What an alarm watches, as queries; the one that is returned is compared with the threshold. Raises MathError."""
    metrics = alarm.get("Metrics")
    if not metrics:
        metric = {key: alarm[key] for key in ("Namespace", "MetricName", "Dimensions") if alarm.get(key)}
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic")
        stat = {"Metric": metric, "Period": alarm.get("Period"), "Stat": statistic, "Unit": alarm.get("Unit")}
        metrics = [{"Id": "m1", "MetricStat": stat}]
    return parse_queries(metrics)


def record(name: str, request: dict[str, Any]) -> dict[str, Any]:
    """The alarm that a request or a template's properties describe; a known alarm keeps its state.

    Raises MathError with the reason for a refusal.
    """
    known = cloudwatch._alarms.get(name) or {}
    now = int(time.time())
    periods = int(request.get("EvaluationPeriods") or 0)
    if periods < 1:
        raise MathError("EvaluationPeriods must be at least 1")
    alarm = {
        "AlarmName": name,
        "AlarmArn": f"arn:aws:cloudwatch:{responses.get_region()}:{responses.get_account_id()}:alarm:{name}",
        "AlarmDescription": request.get("AlarmDescription") or "",
        "ActionsEnabled": truth(request.get("ActionsEnabled"), default=True),
        **{key: list(request.get(key) or []) for key in ("OKActions", "AlarmActions", "InsufficientDataActions")},
        "EvaluationPeriods": periods,
        "ComparisonOperator": _one_of(request, "ComparisonOperator", COMPARISONS),
        "Threshold": _threshold(request),
        "TreatMissingData": _one_of(request, "TreatMissingData", TREATMENTS, "missing"),
        "StateValue": known.get("StateValue", "INSUFFICIENT_DATA"),
        "StateReason": known.get("StateReason", "Unchecked: Initial alarm creation"),
        "StateReasonData": known.get("StateReasonData"),
        "StateUpdatedTimestamp": known.get("StateUpdatedTimestamp", now),
        "StateTransitionedTimestamp": known.get("StateTransitionedTimestamp", now),
        "AlarmConfigurationUpdatedTimestamp": now,
        **_watched(request),
    }
    if request.get("DatapointsToAlarm") is not None:
        alarm["DatapointsToAlarm"] = int(request["DatapointsToAlarm"])
        if not 1 <= alarm["DatapointsToAlarm"] <= periods:
            raise MathError("DatapointsToAlarm must be between 1 and EvaluationPeriods")
    if request.get("EvaluateLowSampleCountPercentile"):
        alarm["EvaluateLowSampleCountPercentile"] = _one_of(
            request, "EvaluateLowSampleCountPercentile", ("evaluate", "ignore")
        )
    _check_queries(queries_of(alarm))
    return {key: value for key, value in alarm.items() if value is not None}


def _watched(request: dict[str, Any]) -> dict[str, Any]:
    metrics = request.get("Metrics")
    if metrics:
        wrong = [key for key in _METRIC_KEYS if request.get(key)]
        if wrong:
            raise MathError(f"Metrics cannot be used together with {', '.join(wrong)}")
        for what, key in (("metrics", "MetricStat"), ("expressions", "Expression")):
            if len([each for each in metrics if each.get(key)]) > MOST_OF_A_KIND:
                raise MathError(f"an alarm has {MOST_OF_A_KIND} {what} at most")
        return {"Metrics": [_typed(each) for each in metrics]}
    if not request.get("MetricName") or not request.get("Namespace"):
        raise MathError("an alarm needs MetricName and Namespace, or Metrics")
    statistic, extended = request.get("Statistic"), request.get("ExtendedStatistic")
    if bool(statistic) == bool(extended):
        raise MathError("an alarm needs either Statistic or ExtendedStatistic")
    if statistic and statistic not in BASIC_STATISTICS:
        raise MathError(f"the statistic '{statistic}' is not supported here")
    if extended and percentile_of(str(extended)) is None:
        raise MathError(f"the extended statistic '{extended}' is not supported here")
    return {
        "MetricName": request["MetricName"],
        "Namespace": request["Namespace"],
        "Dimensions": request.get("Dimensions") or [],
        "Period": check_period(int(request.get("Period") or 0)),
        "Unit": request.get("Unit"),
        "Statistic": statistic or None,
        "ExtendedStatistic": extended or None,
    }


def _typed(query: dict[str, Any]) -> dict[str, Any]:
    """A query whose numbers and truth values are such, and not a template's text."""
    typed = {**query, "ReturnData": truth(query.get("ReturnData"), default=True)}
    if query.get("Period"):
        typed["Period"] = int(query["Period"])
    if query.get("MetricStat"):
        typed["MetricStat"] = {**query["MetricStat"], "Period": int(query["MetricStat"].get("Period") or 0)}
    return typed


def _check_queries(queries: list[Query]) -> None:
    returned = [query.id for query in queries if query.returned]
    if len(returned) != 1:
        raise MathError("exactly one of Metrics must have ReturnData set to true")
    kind = kinds_of(queries)[returned[0]]
    if kind != "series":
        raise MathError(
            f"'{returned[0]}' must give a single time series, not {'numbers' if kind == 'scalar' else 'several'}"
        )
    if len({query.stat.period for query in queries if query.stat}) != 1:
        raise MathError("the metrics of an alarm must have one period here")


def _one_of(request: dict[str, Any], key: str, allowed: Any, default: str | None = None) -> str:
    value = request.get(key) or default
    if value not in allowed:
        raise MathError(f"{key} must be one of {', '.join(allowed)}, not {value}")
    return str(value)


def _threshold(request: dict[str, Any]) -> float:
    if request.get("Threshold") is None:
        raise MathError("Threshold is required")
    return float(request["Threshold"])


def install() -> None:
    """Write alarms through `record`, from the API and from templates."""
    provisioners._cw_metric_alarm_record = _for_template
    cloudwatch._put_metric_alarm = put_metric_alarm


def _for_template(name: str, props: dict[str, Any]) -> dict[str, Any]:
    try:
        return record(name, props)
    except MathError as wrong:
        raise ValueError(f"ValidationError: {wrong}") from None


def put_metric_alarm(params: dict[str, Any], cbor_data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Answer:
    """PutMetricAlarm: creates or replaces; tags count on creation only."""
    request = cbor_data if is_cbor or is_json else query_protocol.expand(params)
    name = request.get("AlarmName", "")
    is_new = name not in cloudwatch._alarms
    tags = cloudwatch._alarm_request_tags(params, cbor_data, is_cbor, is_json)
    refused: Answer | None = cloudwatch._alarm_tags_refusal(tags, None, is_new, is_cbor, is_json)
    if refused:
        return refused
    try:
        alarm = record(name, request)
    except (MathError, ValueError) as wrong:
        answer: Answer = cloudwatch._error("ValidationError", str(wrong), 400, use_json=is_json, use_cbor=is_cbor)
        return answer
    cloudwatch.cloudformation_put_metric_alarm(alarm)
    if is_new and tags:
        cloudwatch._resource_tags[alarm["AlarmArn"]] = {tag["Key"]: tag["Value"] for tag in tags}
    done: Answer
    if is_cbor:
        done = cloudwatch._cbor_ok({})
    elif is_json:
        done = cloudwatch._json_ok({})
    else:
        done = cloudwatch._xml(200, "PutMetricAlarmResponse", "")
    return done
