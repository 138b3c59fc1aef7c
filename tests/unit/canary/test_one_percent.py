"""A canary that fails one request in a hundred more often, at 10 %: who notices, when, and what it cost.

The same requests are counted by the judge and by the release's own alarms. docs/guard.md has a table of more of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.canary.one_percent import MINUTE, Traffic, Trial

from manuel_release.errors import Partial, ReleaseError
from manuel_release.model.release import ReleaseState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNWATCHED = {"heartbeat_seconds": 1e6}
"""Nobody observes, and the guard does not miss it: what the fixed limits do alone."""
HOURS = 2.25 * 3600
"""As long as a canary can stay at 10 %: a quarter of an hour observed, then a gate of two hours."""


@pytest.fixture
def trial(tmp_path_factory) -> Iterator[Callable[..., Trial]]:
    """`trial(traffic, **settings)`: r-2 gets 10 % of these requests from now on."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield lambda traffic, **settings: Trial(tmp_path_factory.mktemp("trial"), monkeypatch, traffic, **settings)


CLEAN, ORDINARY = 0.0, 0.5


@pytest.mark.parametrize("traffic", [Traffic(20, CLEAN, CLEAN + 1, 1), Traffic(20, CLEAN, CLEAN + 1, 3)], ids=str)
def test_beside_a_clean_release_the_verdict_is_there_before_the_limits(trial, traffic: Traffic) -> None:
    seen = trial(traffic).observe()
    limits = trial(traffic, **UNWATCHED).wait(HOURS)

    assert (seen.trigger, seen.observed.exit_code) == ("verdict", 5)
    assert seen.reason.startswith("The canary is worse: 5xx errors")
    assert (seen.rings, limits.trigger) == ([], "manuel-prod-r-2-5xx")
    assert seen.seconds < limits.seconds
    assert (seen.requests, seen.failures) < (limits.requests, limits.failures)


@pytest.mark.parametrize("seed", [1, 2])
def test_beside_ordinary_errors_the_limits_ring_first_and_excuse_it_and_the_verdict_takes_it_back(trial, seed) -> None:
    traffic = Traffic(200, ORDINARY, ORDINARY + 1, seed)

    seen = trial(traffic).observe()
    limits = trial(traffic, **UNWATCHED).wait(HOURS)

    assert [(ring.name, ring.action) for ring in seen.rings] == [("manuel-prod-r-2-5xx", "escalate")]
    assert seen.rings[0].seconds < seen.seconds
    assert seen.trigger == "verdict"
    assert limits.trigger == "manuel-prod-r-2-5xx-rate"
    assert seen.seconds * 5 < limits.seconds


def test_a_release_that_fails_no_more_than_the_other_keeps_its_traffic(trial) -> None:
    """The literal limits take it back within minutes."""
    traffic = Traffic(200, ORDINARY, ORDINARY)

    harmless = trial(traffic)
    harmless.observe()
    literal = trial(traffic, limits="absolute", **UNWATCHED).wait(HOURS)

    assert not harmless.over
    assert (literal.trigger, literal.seconds < 300) == ("manuel-prod-r-2-5xx", True)


def test_what_a_quarter_of_an_hour_does_not_show_the_guard_finds_while_people_decide(trial) -> None:
    canary = trial(Traffic(20, ORDINARY, ORDINARY + 1, 2))
    end = canary.observe()
    assert (end.observed.exit_code, canary.over) == (8, False)

    end = canary.wait(7200)

    assert end.trigger == "verdict"
    assert end.reason.startswith("the verdict on r-2 is bad: The canary is worse: 5xx errors")
    assert 900 <= end.seconds < 1800
    assert {ring.action for ring in end.rings} == {"escalate"}
    assert canary.world.states()["r-2"] is ReleaseState.ROLLED_BACK


def test_when_the_observer_dies_with_its_verdict_the_guard_takes_the_release_back(trial) -> None:
    canary = trial(Traffic(200, ORDINARY, ORDINARY + 1, 1))
    canary.world.aws.faults["gateway.shift"] = ReleaseError("API Gateway is away")
    with pytest.raises(Partial, match=r"r-2 is bad .* and could not be taken back"):
        canary.observe()
    canary.world.aws.faults.clear()

    detail = {"build-status": "FAILED", "build-id": "arn:aws:codebuild:eu-west-1:1:build/manuel-observe:b-1"}
    (done,) = canary.guard.handle({"source": "aws.codebuild", "detail": detail})

    assert (done["action"], canary.over) == ("roll_back", True)
    assert done["why"].startswith("manuel-observe:b-1, which observed r-2, did not finish")


def test_when_nobody_tells_that_the_observer_died_its_sign_of_life_is_missed(trial) -> None:
    canary = trial(Traffic(20, CLEAN, CLEAN + 1, 1))

    end = canary.wait(900)

    assert end.trigger == "heartbeat"
    assert 180 < end.seconds <= 240
    assert canary.guard.handle(MINUTE) == []
