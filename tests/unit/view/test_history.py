"""`history` of releases that had a canary, an override, a rollback, or were deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from manuel_release.model.release import CanaryStep, Release, ReleaseState, Return
from manuel_release.view import as_json
from manuel_release.view.history import HistoryScreen


@pytest.fixture
def eventful(now) -> tuple[Release, ...]:
    """r-22 is a canary, r-21 was rolled back, r-20 serves, r-3 was deleted."""

    def ago(**since) -> object:
        return now - timedelta(**since)

    def release(name, state, started, **more) -> Release:
        usual = {"by": "alice (alice@laptop)", "commit": "1111111aaaaaaa", "versions": {"f": "7"}}
        return Release(name, "production", "v1", state, started, **{**usual, **more})

    canary = release(
        "r-22",
        ReleaseState.CANARY,
        ago(hours=2),
        reason="Answers come from the new index",
        override_shared="the old index is gone anyway",
        steps=(
            CanaryStep(10.0, ago(minutes=50), "alice (alice@laptop)", until=ago(minutes=20)),
            CanaryStep(50.0, ago(minutes=19), "bob (bob@laptop)", override="the fair begins at three"),
        ),
    )
    returns = (
        Return(ago(days=1), "r-20", "carol (carol@home)", "wrong prices", "person", "i-20260301-1400-1f3a", done=True),
        Return(ago(hours=3), "r-20", "guard", "5xx > 5 in 5 min", "manuel-prod-r-21-5xx"),
    )
    back = release(
        "r-21",
        ReleaseState.ROLLED_BACK,
        ago(days=1, hours=1),
        steps=(CanaryStep(10.0, ago(days=1), "alice"), CanaryStep(100.0, ago(hours=4), "alice")),
        live_at=ago(hours=4),
        rolled_back_at=ago(hours=3),
        returns=returns,
        failure="left to do: `live` of manuel-query-prod",
    )
    live = release("r-20", ReleaseState.LIVE, ago(days=2), live_at=ago(days=2), api_deployment_id="dep20")
    gone = release("r-3", ReleaseState.REPLACED, ago(days=70), live_at=ago(days=70), pruned_at=ago(days=2))
    return canary, back, live, gone


def test_an_eventful_history(golden, eventful, now):
    golden("history-eventful", HistoryScreen(eventful, now))


def test_a_release_in_the_middle_of_its_rollout_is_told(drawn, eventful, now):
    assert "rolling out" in drawn(HistoryScreen((replace(eventful[0], state=ReleaseState.ROLLING_OUT),), now), "120")


def test_times_of_today_are_told_without_their_date(drawn, eventful, now):
    text = drawn(HistoryScreen(eventful, now), "pipe")

    assert "10 % 13:10 (until 13:40), 50 % 13:41 UTC" in text
    assert "10 % 2026-03-01 14:00, 100 % 10:00, live 10:00 UTC" in text


def test_scripts_get_every_step_and_every_rollback(eventful):
    canary, back, live, gone = as_json.history(eventful)["releases"]

    assert canary["canary_steps"] == [
        {
            "percent": 10.0,
            "at": "2026-03-02T13:10:00Z",
            "by": "alice (alice@laptop)",
            "override": "",
            "until": "2026-03-02T13:40:00Z",
        },
        {
            "percent": 50.0,
            "at": "2026-03-02T13:41:00Z",
            "by": "bob (bob@laptop)",
            "override": "the fair begins at three",
            "until": None,
        },
    ]
    assert canary["override_shared"] == "the old index is gone anyway"
    assert back["rollbacks"][1] == {
        "at": "2026-03-02T11:00:00Z",
        "to_release": "r-20",
        "by": "guard",
        "reason": "5xx > 5 in 5 min",
        "trigger": "manuel-prod-r-21-5xx",
        "incident_id": "",
        "finished": False,
    }
    assert [one["finished"] for one in back["rollbacks"]] == [True, False]
    assert (live["api_deployment_id"], live["pruned_at"]) == ("dep20", None)
    assert gone["pruned_at"] == "2026-02-28T14:00:00Z"
