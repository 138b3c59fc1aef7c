"""Screens and documents of a canary, on generated counts that went through the real judge."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from manuel_release.model.canary import CanaryStatus, next_percent
from manuel_release.verdict import ArmCounts, Judge, Settings
from manuel_release.verdict.replay import RecordedInterval, Recording, replay, summarise
from manuel_release.verdict.selftest import self_test
from manuel_release.view import canary_json
from manuel_release.view.canary import CanaryScreen, bar
from manuel_release.view.console import Screen
from manuel_release.view.replay import ReplayScreen, SelfTestScreen
from manuel_release.view.watch import WatchScreen

if TYPE_CHECKING:
    from collections.abc import Iterable

STARTED = datetime(2026, 3, 2, 13, 50, 0, tzinfo=UTC)
EDGES = (100.0, 200.0, 500.0)


def counts(requests: int, errors: int = 0, *, slow: int = 0, complete: bool = True, weight: float = 0.1) -> ArmCounts:
    return ArmCounts(requests, 0, errors, (requests - slow, slow, 0, 0), weight, complete=complete)


def judged(arms: Iterable[tuple[ArmCounts, ArmCounts]], business: tuple[str, ...] = ()) -> CanaryStatus:
    judge = Judge(settings=Settings(edges_ms=EDGES, business=business))
    verdict = None
    for number in range(60):
        judge.warmup(10.0 * (number - 60), counts(180, slow=18))
    for number, (stable, canary) in enumerate(arms, 1):
        verdict = judge.update(10.0 * number, stable, canary)
    latency = next((s for s in verdict.signals if s.metric == "latency"), None) if verdict else None
    return CanaryStatus(
        environment="production",
        api_stage="v1",
        release="r-13",
        stable_release="r-12",
        desired_percent=10.0,
        actual_percent=verdict.split.actual_percent if verdict else None,
        started_at=STARTED,
        observed_seconds=verdict.t if verdict else 0.0,
        verdict=verdict,
        stable_p95_ms=latency.stable.p95_ms if latency else None,
        canary_p95_ms=latency.canary.p95_ms if latency else None,
        worst_case=judge.worst_case(0.5) if verdict else None,
        next_look_at=STARTED + timedelta(seconds=40),
        next_command="manuel-release canary watch --env production",
    )


@pytest.fixture
def begun() -> CanaryStatus:
    return judged([])


@pytest.fixture
def unclear() -> CanaryStatus:
    """Two minutes with an error on each side, and Lambda's own counts still missing."""
    arms = [(counts(180, int(n == 3), slow=18), counts(20, int(n == 7), slow=2, complete=False)) for n in range(12)]
    return replace(judged(arms), doubts=("AWS's own counts of a whole minute are not there yet.",))


@pytest.fixture
def good() -> CanaryStatus:
    return replace(
        judged([(counts(1800, slow=180), counts(200, slow=20)) for _ in range(60)]),
        next_command="aws apigateway update-stage --rest-api-id abc123 --stage-name v1 --patch-operations "
        "op=replace,path=/canarySettings/percentTraffic,value=50",
    )


@pytest.fixture
def bad() -> CanaryStatus:
    status = judged([(counts(180, slow=18), counts(20, 2, slow=2)) for _ in range(6)])
    return replace(
        status,
        held_by="alice (alice@laptop)",
        next_command="aws apigateway update-stage --rest-api-id abc123 --stage-name v1 --patch-operations "
        "op=remove,path=/canarySettings",
    )


@pytest.mark.parametrize("which", ["begun", "unclear", "good", "bad"])
def test_the_screen_of_a_canary(which, golden, request) -> None:
    golden(f"canary-{which}", CanaryScreen(request.getfixturevalue(which)))


def test_the_screen_while_it_is_watched_says_when_the_next_interval_is_judged(golden, unclear) -> None:
    golden("canary-watching", CanaryScreen(unclear, watching=True))


def test_the_situations_are_what_they_are_called(begun, unclear, good, bad) -> None:
    assert [one.word for one in (begun, unclear, good, bad)] == ["cannot tell yet", "cannot tell yet", "good", "bad"]
    assert [one.exit_code for one in (begun, unclear, good, bad)] == [8, 8, 0, 5]


def test_a_terminal_of_24_lines_holds_the_screen_while_it_is_redrawn(unclear, drawn) -> None:
    assert len(drawn(CanaryScreen(unclear, watching=True), "80").splitlines()) <= 24


def test_a_terminal_without_unicode_gets_bars_all_the_same(drawn, unclear) -> None:
    text = drawn(CanaryScreen(unclear), "80", "ascii")

    assert "[" in text
    assert "█" not in text


@pytest.mark.parametrize(
    ("share", "drawing"), [(-0.1, "[....]"), (0.0, "[....]"), (0.5, "[##..]"), (0.999, "[###.]"), (1.0, "[####]")]
)
def test_a_bar_is_full_at_its_boundary_and_not_before(share, drawing) -> None:
    assert bar(share, ascii_only=True, columns=4) == drawing


def test_a_business_counter_is_shown_when_something_was_counted(drawn) -> None:
    def arms(failures: int) -> tuple[ArmCounts, ArmCounts]:
        counters = {"queries": 50, "query_failures": failures}
        return replace(counts(180), counters=counters), replace(counts(20), counters=counters)

    silent, loud = (judged([arms(n)] * 3, business=("query_failures",)) for n in (0, 1))

    assert "query_failures" not in drawn(CanaryScreen(silent), "80")
    assert "query_failures" in drawn(CanaryScreen(loud), "80")


def test_a_canary_that_ended_says_how(drawn, unclear) -> None:
    text = drawn(CanaryScreen(replace(unclear, ended="r-13 was given all requests.")), "80")

    assert "Next        r-13 was given all requests." in text


def test_the_document_has_the_keys_of_the_design(bad) -> None:
    document = json.loads(json.dumps(canary_json.canary(bad)))

    assert {
        "schema_version",
        "environment",
        "release",
        "stable_release",
        "desired_percent",
        "actual_percent",
        "step",
        "started_at",
        "observed_seconds",
        "verdict",
        "arms",
        "blast_radius",
        "next_command",
    } <= set(document)
    assert document["started_at"] == "2026-03-02T13:50:00Z"
    assert document["step"] == 1
    assert document["verdict"]["value"] == "bad"
    assert {"value", "sentence", "missing_requests", "missing_seconds", "signals"} <= set(document["verdict"])
    assert document["arms"]["stable"] == {
        "requests": 1080,
        "errors_4xx": 0,
        "errors_5xx": 0,
        "p95_ms": pytest.approx(bad.stable_p95_ms, abs=0.001),
    }
    assert document["arms"]["canary"]["errors_5xx"] == 12
    assert document["blast_radius"] == {"canary_requests": 120, "canary_failures": 12}
    assert document["lease_holder"] == "alice (alice@laptop)"


def test_a_signal_is_told_with_both_arms_and_both_boundaries(bad) -> None:
    signal = canary_json.canary(bad)["verdict"]["signals"][0]

    assert signal["metric"] == "5xx"
    assert signal["finding"] == "bad"
    assert signal["canary"] == {"requests": 120, "events": 12, "percent": 10.0, "p95_ms": None}
    assert signal["towards_bad_percent"] == 100.0
    assert signal["e_value"] >= signal["threshold"] > 100
    assert 0 < signal["p_value"] < 0.01


def test_the_document_of_a_good_canary_prices_the_next_step(good) -> None:
    document = canary_json.canary(good)

    assert document["verdict"]["value"] == "good"
    assert document["verdict"]["missing_requests"] == 0
    assert document["worst_case"]["next_percent"] == 50.0
    assert document["worst_case"]["failed_requests_at_most"] > 0


def test_before_the_first_interval_nothing_is_known(begun) -> None:
    document = canary_json.canary(begun)

    assert document["verdict"]["value"] == "cannot_tell_yet"
    assert document["verdict"]["signals"] == []
    assert document["actual_percent"] is None
    assert document["worst_case"] is None
    assert document["arms"]["canary"] == {"requests": 0, "errors_4xx": 0, "errors_5xx": 0, "p95_ms": None}


def test_a_pipe_gets_one_json_line_for_every_interval_and_one_at_the_end(stream, begun, unclear, bad) -> None:
    stdout = stream()
    with WatchScreen(Screen(stdout, stream())) as screen:
        for status in (begun, begun, unclear, unclear, bad):
            screen.look(status)
        screen.look(bad, last=True)

    lines = [json.loads(line) for line in stdout.getvalue().splitlines()]
    assert [line["observed_seconds"] for line in lines] == [0.0, 120.0, 60.0, 60.0]
    assert [line["verdict"]["value"] for line in lines][-1] == "bad"


def test_json_on_a_terminal_is_lines_too(stream, unclear) -> None:
    stdout = stream(terminal=True)
    with WatchScreen(Screen(stdout, stream(), json_output=True)) as screen:
        screen.look(unclear)

    assert json.loads(stdout.getvalue())["environment"] == "production"


def test_a_build_service_gets_lines_even_on_its_terminal(stream, unclear) -> None:
    assert WatchScreen(Screen(stream(terminal=True), stream(), ci=True)).lines


def test_a_terminal_is_redrawn_and_keeps_the_last_look(stream, unclear, bad) -> None:
    stdout = stream(terminal=True)
    with WatchScreen(Screen(stdout, stream(), width=80, no_color=True)) as screen:
        screen.look(unclear)
        screen.warn("AWS is slow")
        screen.look(bad, last=True)

    text = stdout.getvalue()
    assert "Warning: AWS is slow" in text
    assert text.rindex("canary r-13, bad") > text.rindex("canary r-13, cannot tell yet")
    assert "\x1b[2K" in text, "lines are cleared and drawn again"


def test_a_warning_off_a_terminal_goes_to_stderr(stream) -> None:
    stderr = stream()
    WatchScreen(Screen(stream(), stderr)).warn("AWS is slow")

    assert stderr.getvalue() == "Warning: AWS is slow\n"


def recording(release: str, errors: int) -> Recording:
    intervals = tuple(
        RecordedInterval(10.0 * n, counts(900, slow=90), counts(100, errors, slow=10)) for n in range(1, 61)
    )
    return Recording(release, (), intervals)


def test_the_screen_of_replays(golden) -> None:
    replays = tuple(replay(recording(name, errors)) for name, errors in (("r-7", 10), ("r-8", 0)))

    golden("replay", ReplayScreen(replays, summarise(replays, {"r-7"})))


def test_the_document_of_replays_says_when_each_was_stopped_and_what_it_spared() -> None:
    replays = tuple(replay(recording(name, errors)) for name, errors in (("r-7", 10), ("r-8", 0)))
    document = canary_json.replays(replays, summarise(replays, {"r-7"}))

    stopped, fine = document["releases"]
    assert (stopped["release"], stopped["value"], stopped["stopped_at_seconds"]) == ("r-7", "bad", 10.0)
    assert stopped["canary_failures_before"] + stopped["canary_failures_after"] == 600
    assert (fine["value"], fine["stopped_at_seconds"]) == ("good", None)
    assert fine["good_at_seconds"] > 0
    assert document["summary"]["bad_stopped"] == 1
    assert document["summary"]["good_stopped"] == 0
    assert canary_json.replays(replays, None)["summary"] is None


def test_the_screen_and_document_of_a_self_test(drawn) -> None:
    found = self_test([counts(100, 1, slow=10)] * 30, runs=5, seed=1)

    assert drawn(SelfTestScreen(found), "80").startswith("✔ Self-test: the judge keeps its promise\n  0 of 5 harmless")
    document = canary_json.self_test(found)
    assert (document["runs"], document["false_alarms"], document["holds"]) == (5, 0, True)
    failed = replace(found, false_alarms=5, low_percent=47.8)
    assert drawn(SelfTestScreen(failed), "80").startswith("✖ Self-test: too many false alarms")


@pytest.mark.parametrize(("percent", "following"), [(10.0, 50.0), (12.5, 50.0), (50.0, 100.0), (100.0, None)])
def test_the_next_step_is_the_first_larger_one(percent, following) -> None:
    assert next_percent(percent) == following


def test_a_share_that_is_no_step_has_no_number(good) -> None:
    assert replace(good, desired_percent=12.5).step is None
