"""The fault layer and its switches, without a cloud."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import botocore.exceptions
import pytest
from integration.chaos import report, run
from integration.chaos.experiment import Aborted, Result, Simulator, Timeline
from integration.chaos.injectors import FisInjector, FunctionFault, LayerInjector, Refused
from integration.chaos.layer.python.manuel_faults import Fault, Faults, install
from integration.chaos.scenarios import SCENARIOS, Answers, BreakerOpens, Check, Scenario
from integration.chaos.target import Pace, Reply

ERROR = {"dependency": "dynamodb", "kind": "error", "status": 400, "code": "ThrottlingException"}


def faults(*members: dict[str, Any], until: float = 100.0, function: str = "usage") -> Any:
    """Faults at second 50, their waits, and a way to send."""
    slept: list[float] = []
    text = json.dumps({"until": until, "faults": members})
    made = Faults(function, lambda: text, clock=lambda: 50.0, sleep=slept.append)
    made.created(SimpleNamespace(context={"client_config": SimpleNamespace(read_timeout=1.5)}))

    def send(service: str) -> Any:
        return made.before_send(SimpleNamespace(url="http://x"), f"before-send.{service}.GetItem")

    return send, slept


def test_a_call_to_the_dependency_gets_the_planned_error_and_others_go_through() -> None:
    send, _ = faults(ERROR)

    answer = send("dynamodb")

    assert (answer.status_code, json.loads(answer.content)["__type"]) == (400, "ThrottlingException")
    assert send("s3") is None
    assert send("ssm") is None


def test_a_plan_that_is_over_makes_nothing_fail() -> None:
    send, _ = faults(ERROR, until=49.0)

    assert send("dynamodb") is None


def test_only_the_functions_that_the_plan_names_are_hit() -> None:
    assert faults({**ERROR, "functions": ["query"]})[0]("dynamodb") is None
    assert faults({**ERROR, "functions": ["usage"]})[0]("dynamodb") is not None


def test_a_dependency_that_never_answers_takes_the_clients_own_time_out() -> None:
    send, slept = faults({"dependency": "dynamodb", "kind": "timeout"})

    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        send("dynamodb")
    assert slept == [1.5]


def test_a_delay_is_waited_for_and_one_beyond_the_time_out_is_a_time_out() -> None:
    send, slept = faults({"dependency": "dynamodb", "kind": "delay", "delay_seconds": 0.5})
    assert send("dynamodb") is None
    assert slept == [0.5]

    late, _ = faults({"dependency": "dynamodb", "kind": "delay", "delay_seconds": 9})
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        late("dynamodb")


@pytest.mark.parametrize("environment", ["prod", "production", ""])
def test_the_layer_does_nothing_in_production(environment: str) -> None:
    assert install({"MANUEL_ENVIRONMENT": environment}) is False


@pytest.mark.parametrize("environment", ["production", "prod"])
def test_the_suite_refuses_production(environment: str, capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    assert run.main(["--environment", environment, "--results", str(tmp_path)]) == 3
    assert "never in" in capsys.readouterr().err


STAGING = {"environment": "staging", "release": "r-7"}


@pytest.mark.parametrize(
    ("health", "words"),
    [
        (STAGING | {"release": "r-8"}, "serves r-8 and not r-7: another build was deployed there meanwhile"),
        ({"environment": "staging"}, "serves no release and not r-7"),
        (STAGING | {"environment": "production"}, "says that it is production, not staging"),
        (None, "says that it is nothing"),
    ],
)
def test_nothing_is_injected_where_another_release_serves_than_the_expected_one(health: Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        run.served("http://api", health, "staging", "r-7")


def test_the_release_that_serves_is_told_and_without_an_expectation_any_may() -> None:
    assert run.served("http://api", STAGING, "staging", "r-7") == "r-7"
    assert run.served("http://api", STAGING, "staging", "") == "r-7"


def test_a_refusal_because_of_another_release_ends_with_3_and_leaves_no_report(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def serving(options: Any, scenarios: Any, results: Any, facts: dict[str, str]) -> Timeline:
        facts["release"] = run.served("http://api", STAGING, options.environment, options.expect_release)
        return Timeline()

    monkeypatch.setattr(run, "simulate", serving)
    where = ["--environment", "staging", "--results", str(tmp_path)]

    assert run.main([*where, "--expect-release", "r-6"]) == 3
    assert "start this execution again from the start" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())

    run.main([*where, "--expect-release", "r-7"])
    assert json.loads((tmp_path / "chaos-results.json").read_text())["release"] == "r-7"


class Ssm:
    """Parameters in memory."""

    class exceptions:  # noqa: N801 - boto3's name
        ParameterNotFound = KeyError

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def put_parameter(self, Name: str, Value: str, **_: object) -> None:  # noqa: N803
        self.kept[Name] = Value

    def get_parameter(self, Name: str) -> Any:  # noqa: N803
        return {"Parameter": {"Value": self.kept[Name]}}

    def delete_parameter(self, Name: str) -> None:  # noqa: N803
        del self.kept[Name]


def test_a_plan_lasts_at_most_three_minutes_and_stopping_removes_it() -> None:
    ssm = Ssm()
    injector = LayerInjector(ssm, "staging", clock=lambda: 1000.0)

    injector.start([Fault("s3", "refuse")], 9999.0)
    assert json.loads(ssm.kept["/manuel/staging/faults"])["until"] == 1180.0
    assert injector.active()
    injector.stop()

    assert ssm.kept == {}
    assert not injector.active()


def test_somebody_elses_plan_is_not_overwritten() -> None:
    ssm = Ssm()
    LayerInjector(ssm, "dev", clock=lambda: 1000.0).start([Fault("s3", "refuse")], 60.0)

    with pytest.raises(Refused, match="another plan"):
        LayerInjector(ssm, "dev", clock=lambda: 1001.0).start([Fault("s3", "refuse")], 60.0)


def test_fis_runs_the_experiment_of_the_template_and_stops_it() -> None:
    calls: list[Any] = []

    class Fis:
        def start_experiment(self, **members: Any) -> Any:
            calls.append(members["experimentTemplateId"])
            return {"experiment": {"id": "EXP1"}}

        def get_experiment(self, **_: str) -> Any:
            return {"experiment": {"state": {"status": "running"}}}

        def stop_experiment(self, **members: str) -> None:
            calls.append(members["id"])

    injector = FisInjector(Fis(), {"Failing": "EXT1"})
    fault = FunctionFault("usage", "Failing")
    assert injector.supports(fault)
    assert not injector.supports(FunctionFault("usage", "Other"))
    injector.start([fault], 60.0)
    assert injector.active()
    injector.stop()

    assert calls == ["EXT1", "EXP1"]
    assert not injector.active()


class Answering:
    """A target with prepared replies."""

    answered = 0

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def ask(self, name: str) -> Reply:
        return self.replies.pop(0) if self.replies else Reply(name, 200, 0.01)

    def used(self) -> int:
        return 0


def unavailable(seconds: float) -> Reply:
    return Reply("query", 503, seconds, "dependency_unavailable", 5)


def test_a_500_is_never_what_was_promised() -> None:
    replies = [unavailable(0.1), Reply("query", 500, 0.1, "internal_error"), unavailable(0.1)]

    assert not Answers("query", 503, "dependency_unavailable", least_percent=50).observe(Answering(*replies)).ok


def test_an_answer_after_the_bound_does_not_hold() -> None:
    assert not Answers("usage", times=1, within=1.0).observe(Answering(Reply("usage", 200, 1.1))).ok


def test_a_refusal_without_retry_after_does_not_hold() -> None:
    bare = Reply("query", 503, 0.1, "dependency_unavailable")

    assert not Answers("query", 503, "dependency_unavailable", times=1).observe(Answering(bare)).ok


def test_a_circuit_that_opens_is_seen_and_one_that_never_does_is_too() -> None:
    breaker = BreakerOpens("query", slow=1.0)

    assert breaker.observe(Answering(*[unavailable(1.1)] * 5, *[unavailable(0.1)] * 3)).ok
    assert not breaker.observe(Answering(*[unavailable(1.1)] * 15)).ok


class Switch:
    """An injector that notes what is asked of it."""

    settle_seconds = 0.0

    def __init__(self, *, stays: bool = True) -> None:
        self.calls: list[str] = []
        self.stays = stays

    def supports(self, fault: object) -> bool:
        return True

    def start(self, faults: object, seconds: float) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")

    def active(self) -> bool:
        return self.stays


class Crash:
    """An expectation that ends in the middle."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def observe(self, target: object) -> Check:
        raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("bug")])
def test_whatever_happens_the_faults_are_ended(error: BaseException, tmp_path: Any) -> None:
    switch = Switch()
    scenario = Scenario("x", "h", (Fault("s3", "refuse"),), (Crash(error),))  # type: ignore[arg-type]

    with pytest.raises(type(error)):
        Simulator(Answering(), [switch], Timeline(), tmp_path / "ABORT", 60.0).run(scenario)  # type: ignore[arg-type]
    assert switch.calls == ["start", "stop"]


@pytest.mark.parametrize("how", ["file", "parameter"])
def test_both_switches_abort_and_end_the_faults(how: str, tmp_path: Any) -> None:
    switch = Switch(stays=how != "parameter")
    if how == "file":
        (tmp_path / "ABORT").touch()
    scenario = Scenario("x", "h", (Fault("s3", "refuse"),), (Answers("health"),))

    with pytest.raises(Aborted):
        Simulator(Answering(), [switch], Timeline(), tmp_path / "ABORT", 60.0).run(scenario)  # type: ignore[arg-type]
    assert switch.calls == ["start", "stop"]


def test_a_scenario_that_nobody_can_inject_is_skipped_and_does_not_pass_a_suite(tmp_path: Any) -> None:
    simulator = Simulator(Answering(), [], Timeline(), tmp_path / "ABORT", 60.0)  # type: ignore[arg-type]
    result = simulator.run(SCENARIOS[0])

    assert result.outcome == "skipped"
    assert report.document([result], [])["passed"] is False
    assert b'skipped="1"' in report.junit([result], "basic")


def test_a_failure_is_one_in_both_reports() -> None:
    results = [Result("a", "h", "passed"), Result("b", "h", "failed", reason="why")]

    assert report.document(results, [])["passed"] is False
    assert b'failures="1"' in report.junit(results, "basic")
    assert b'message="why"' in report.junit(results, "basic")


def test_the_full_suite_has_every_scenario_and_the_basic_one_fewer() -> None:
    assert run.chosen("full", []) == SCENARIOS
    assert {one.name for one in run.chosen("basic", [])} == {
        "bedrock-throttling",
        "dynamodb-failure",
        "circuit-breaker",
    }


def test_a_user_asks_no_faster_than_the_rate_limit_lets_through() -> None:
    pace = Pace(clock=lambda: 0.0)

    assert [pace.wait() for _ in range(14)][11:] == [0.0, pytest.approx(1 / 1.6), pytest.approx(2 / 1.6)]
