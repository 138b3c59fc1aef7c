"""CloudWatch: values of metrics, many in one call.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html: at most 500 metrics in a call,
100,800 values in an answer, the rest on further pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.aws.errors import translated
from manuel_release.model.metric import MetricAnswers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

    from manuel_release.aws.session import Session
    from manuel_release.model.metric import Metric

MOST_METRICS = 500
COMPLETE = "Complete"


class Metrics:
    """Reads metrics."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, metrics: Sequence[Metric], start: datetime, end: datetime) -> MetricAnswers:
        """Values from `start` up to but not including `end`, in one call for each 500 metrics.

        Raises ReleaseError when CloudWatch cannot be asked; a single metric that it cannot read is in `failed`.
        """
        values: dict[Metric, dict[int, float]] = {metric: {} for metric in metrics}
        status: dict[Metric, str] = {}
        paginator = self._session.client("cloudwatch").get_paginator("get_metric_data")
        for first in range(0, len(metrics), MOST_METRICS):
            batch = metrics[first : first + MOST_METRICS]
            by_id = {f"m{number}": metric for number, metric in enumerate(batch)}
            queries = [query(name, metric) for name, metric in by_id.items()]
            with translated(f"cannot read {len(batch)} metrics"):
                for page in paginator.paginate(
                    MetricDataQueries=queries, StartTime=start, EndTime=end, ScanBy="TimestampAscending"
                ):
                    for result in page["MetricDataResults"]:
                        metric = by_id[result["Id"]]
                        times = (int(each.timestamp()) for each in result.get("Timestamps", []))
                        values[metric].update(zip(times, result.get("Values", []), strict=True))
                        status[metric] = result.get("StatusCode", COMPLETE)  # PartialData until its last page
        failed = {metric: status.get(metric, "no answer") for metric in metrics if status.get(metric) != COMPLETE}
        return MetricAnswers(values, failed)


def query(name: str, metric: Metric, *, shown: bool = True) -> MetricDataQueryTypeDef:
    """A metric as CloudWatch is asked for it; `name`: its id in expressions, `shown`: whether its values are returned.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html
    """
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in metric.dimensions],
            },
            "Period": metric.period,
            "Stat": metric.statistic,
        },
        "ReturnData": shown,
    }
