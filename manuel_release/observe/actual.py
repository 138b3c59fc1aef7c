"""The canary's share as AWS/Lambda counts it: invocations of the canary's alias against those of the other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from manuel_release.errors import ReleaseError
from manuel_release.model.metric import Metric

if TYPE_CHECKING:
    from datetime import datetime

    from manuel_release.aws import Aws
    from manuel_release.model.traffic import ApiStage
    from manuel_release.observe.service import Service

WINDOW = timedelta(minutes=15)
MINUTE = 60


def observe_actual_percent(aws: Aws, service: Service, stage: ApiStage, now: datetime) -> float | None:
    """The canary's share (0-100) of the requests of the last quarter of an hour, from when the stage was last changed.

    None without a canary, without counts (AWS's minutes are late), or when they cannot be read. Invocations that did
    not come from the API (S3 calls `live` for every upload) do not count: a function that the canary's alias was never
    invoked on is left out.
    """
    canary = stage.canary
    if canary is None or not canary.release:
        return None
    since = max(now - WINDOW, stage.updated_at or now - WINDOW)
    first = (int(since.timestamp()) // MINUTE + 1) * MINUTE
    asked = {
        (function, alias): Metric(
            "AWS/Lambda",
            "Invocations",
            (("FunctionName", function), ("Resource", f"{function}:{alias}")),
            "Sum",
            MINUTE,
        )
        for function in service.functions
        for alias in (stage.serving, canary.release)
    }
    try:
        answers = aws.metrics.read(tuple(asked.values()), since, now)
    except ReleaseError:
        return None
    counted = {
        key: sum(number for at, number in answers.values.get(metric, {}).items() if at >= first)
        for key, metric in asked.items()
    }
    both = [name for name in service.functions if counted[name, canary.release]]
    mine = sum(counted[name, canary.release] for name in both)
    all_of_them = mine + sum(counted[name, stage.serving] for name in both)
    return 100.0 * mine / all_of_them if all_of_them else None
