"""What the guard weighs: whether the stable release has the same trouble."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from fakes import START, FakeAws

from manuel_release.model.alarm import ReleaseAlarm, Signal
from manuel_release.model.traffic import Alarm, ApiStage, Canary
from manuel_release.observe.exposure import Scene, weigh
from manuel_release.settings import Settings

if TYPE_CHECKING:
    from manuel_release.aws import Aws

PRODUCTION = Settings().environment("production")
STAGE = ApiStage("api1", "v1", "d1", {"release": "live", "current": "r-12"}, canary=Canary(10.0, "r-13"))


def rings(signal: Signal, *ringing: ReleaseAlarm) -> bool | None:
    aws = FakeAws()
    quiet = [ReleaseAlarm("prod", "r-12", one) for one in Signal]
    names = {alarm.name: alarm in ringing for alarm in quiet}
    aws.alarms.all = tuple(Alarm(name, f"arn:{name}", "ALARM" if red else "OK") for name, red in names.items())
    found = weigh(cast("Aws", aws), None, Settings(), Scene(PRODUCTION, STAGE), "r-13", signal, START)
    return found.stable_rings


@pytest.mark.parametrize("signal", Signal)
def test_the_same_alarm_of_the_stable_release_tells_a_shared_incident(signal: Signal) -> None:
    assert rings(signal) is False
    assert rings(signal, ReleaseAlarm("prod", "r-12", signal)) is True


@pytest.mark.parametrize("signal", [Signal.SERVER_ERRORS, Signal.FUNCTION_ERRORS])
def test_crashes_of_the_stable_release_are_seen_on_the_alias_that_its_requests_come_through(signal: Signal) -> None:
    assert rings(signal, ReleaseAlarm("prod", "r-12", Signal.LIVE_FUNCTION_ERRORS)) is True


def test_crashes_of_the_stable_release_excuse_nothing_else() -> None:
    assert rings(Signal.LATENCY, ReleaseAlarm("prod", "r-12", Signal.LIVE_FUNCTION_ERRORS)) is False


def test_a_stable_release_that_is_not_known_is_not_asked() -> None:
    stage = replace(STAGE, variables={"release": "live"})

    found = weigh(
        cast("Aws", FakeAws()), None, Settings(), Scene(PRODUCTION, stage), "r-13", Signal.SERVER_ERRORS, START
    )

    assert found.stable_rings is None
