"""What people see, at 80 and 120 columns and in a pipe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manuel_release.model.outcome import DeployOutcome, OutcomeStatus
from manuel_release.model.stack import ChangeSet, Stack
from manuel_release.model.traffic import Canary
from manuel_release.view.history import HistoryScreen
from manuel_release.view.plan import OutcomeScreen, PlanScreen
from manuel_release.view.status import StatusScreen


def test_plan_of_an_update(golden, plan, caller):
    golden("plan", PlanScreen(plan, caller))


def test_plan_of_a_first_release(golden, first_plan, caller):
    golden("plan-first", PlanScreen(first_plan, caller))


def test_outcome_of_a_staged_release(golden, staged):
    golden("outcome-staged", OutcomeScreen(staged))


def test_history(golden, releases, now):
    golden("history", HistoryScreen(releases, now, more=3))


def test_history_of_several_environments(golden, releases, now):
    golden("history-several", HistoryScreen((replace(releases[0], environment="dev"), *releases[1:3]), now))


def test_status_of_all_environments(golden, healthy, busy, troubled, now):
    golden("status", StatusScreen((healthy, busy, troubled), now))


def test_a_plan_names_every_resource_of_a_new_stack_when_it_is_asked_to(drawn, first_plan, caller):
    assert "Resource5" not in drawn(PlanScreen(first_plan, caller), "80")
    assert "Resource5" in drawn(PlanScreen(first_plan, caller, every=True), "80")


def test_what_deletes_something_stands_first_in_a_plan(drawn, plan, caller):
    text = drawn(PlanScreen(plan, caller), "pipe")

    shared = text.index("Shared:")
    assert text.index("HealthFunction") < shared < text.index("OldTopic") < text.index("UsageTable")
    assert text.index("ManualsBucketNotificationPermission") < text.index("UsageTable")


def test_a_plan_without_changes_says_that_the_stack_stays(drawn, plan, caller):
    text = drawn(PlanScreen(replace(plan, change_set=ChangeSet("", "manuel-prod"), changes=()), caller), "80")

    assert "manuel-prod stays as it is" in text
    assert "LOGICAL ID" not in text


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (OutcomeStatus.LIVE, "✔ r-14 is live in dev"),
        (OutcomeStatus.STAGED, "◷ r-14 is deployed to dev and waits at 0 % of the traffic"),
        (OutcomeStatus.NOTHING_TO_DO, "✔ Nothing to do in dev"),
        (OutcomeStatus.PLANNED, "• Nothing was changed in dev"),
    ],
)
def test_an_outcome_is_one_sentence_and_the_reason(drawn, status, sentence):
    lines = drawn(OutcomeScreen(DeployOutcome("dev", "v1", "r-14", status, message="because of it")), "80").splitlines()

    assert lines == [sentence, "              because of it"]


@pytest.mark.parametrize("where", ["80", "120", "pipe"])
def test_everything_of_a_troubled_environment_is_on_the_screen(drawn, troubled, now, where):
    text = " ".join(drawn(StatusScreen((troubled,), now), where).split())

    for told in (
        "production: needs attention",
        "r-14 (v1), pinned; `live` is r-17",
        "r-18 gets 10 % of the requests",
        "UPDATE_ROLLBACK_COMPLETE manuel-prod",
        "UsageTable: the name is taken",
        "✖ manuel-prod-errors-too-high ALARM",
        "✖ manuel-prod-latency-too-high ALARM",
        "✔ 1 alarm OK",
        "r-19, begun 3 min ago by alice (alice@laptop)",
        "manuel-release deploy --env production",
        "manuel-usage-prod: `live` is version 7, r-14 is version 9",
        "fair in Cologne",
        "DevOps",
        "the alarms of r-18 could not be read",
    ):
        assert told in text


def test_an_unfinished_release_that_somebody_works_on_is_not_to_be_finished_by_others(drawn, busy, now):
    text = drawn(StatusScreen((busy,), now), "80")

    assert "staging: changing" in text
    assert "r-19, begun 3 min ago" in text
    assert "finish it" not in text


def test_a_lease_without_a_reason_is_told_by_its_holder(drawn, busy, now):
    text = drawn(StatusScreen((replace(busy, lease=replace(busy.lease, reason="")),), now), "pipe")

    assert "Lease       bob (bob@build-7); since 2 min ago, expires in 13 min\n" in text


def test_an_environment_without_a_stack_says_so(drawn, empty, now):
    assert drawn(StatusScreen((empty,), now), "80") == (
        "• dev: nothing deployed\n  Stack       manuel-dev does not exist\n"
    )


def test_a_running_stack_of_unknown_release_serves_something_unknown(drawn, healthy, now):
    assert "Serves      not known" in drawn(StatusScreen((replace(healthy, live_release=None),), now), "80")


def test_a_canary_without_a_release_is_called_what_it_is(drawn, troubled, now):
    unnamed = replace(troubled, canary=replace(troubled.canary, release=None))

    assert "it names no release" in drawn(StatusScreen((unnamed,), now), "120")


def test_alarms_that_only_lack_data_are_not_called_ok(drawn, healthy, now):
    mute = replace(healthy, alarms=healthy.alarms[2:])

    assert "Alarms      • 1 without data\n" in drawn(StatusScreen((mute,), now), "80")


def test_a_stack_that_failed_tells_its_reason_and_one_that_did_not_has_none(drawn, healthy, now):
    fine = replace(healthy, found=Stack("manuel-dev", "arn:dev", "CREATE_COMPLETE", "not interesting"))

    assert "not interesting" not in drawn(StatusScreen((fine,), now), "80")


def test_an_empty_history_is_a_sentence(drawn, now):
    assert drawn(HistoryScreen((), now), "80") == "No release yet.\n"


def test_in_a_pipe_a_release_is_one_line_unless_it_failed(drawn, releases, now):
    lines = drawn(HistoryScreen(tuple(r for r in releases if not r.failure), now), "pipe").splitlines()

    assert len(lines) == 1 + 5
    assert "The quota counter no longer loses a request when two arrive at once" in lines[3]


@pytest.fixture
def everything(healthy, busy, troubled, releases, plan, caller, now):  # noqa: PLR0917 - one of each
    """One screen of each kind."""
    return (StatusScreen((healthy, busy, troubled), now), HistoryScreen(releases, now), PlanScreen(plan, caller))


def test_where_only_ascii_can_be_shown_no_symbol_is_lost_for_a_question_mark(drawn, everything, staged):
    for drawing in (*everything, OutcomeScreen(staged)):
        text = drawn(drawing, "80", "ascii")
        assert text.isascii()
        assert "?" not in text


def test_no_line_is_longer_than_the_terminal(drawn, everything):
    for drawing in everything:
        assert max(map(len, drawn(drawing, "80").splitlines())) <= 80


def test_a_staged_release_waits_until_a_canary_gives_it_traffic(drawn, healthy, releases, now):
    staged = replace(healthy, waiting=releases[1])
    exposed = replace(staged, canary=Canary(10.0, releases[1].name))

    assert "Staged      r-18 waits at 0 % for a person; deployed 1 h ago" in drawn(StatusScreen((staged,), now), "80")
    assert "dev: waits for a person" in drawn(StatusScreen((staged,), now), "80")
    assert "Staged" not in drawn(StatusScreen((exposed,), now), "80")
