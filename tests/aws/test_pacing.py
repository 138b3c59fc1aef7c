"""Pacing on a clock that passes only when somebody sleeps."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.awsrequest import AWSResponse

from manuel_release.aws import Session
from manuel_release.aws.pacing import QUOTAS, Pacing, Quota


class Clock:
    def __init__(self) -> None:
        self.at = 100.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pacing(clock: Clock) -> Pacing:
    return Pacing(QUOTAS, clock.now, clock.sleep)


def test_forty_requests_to_api_gateway_at_once_do_not_wait_and_the_next_ones_come_ten_a_second(pacing, clock) -> None:
    for _ in range(40):
        pacing.wait("api-gateway", "GetStage")
    assert clock.slept == []

    for _ in range(20):
        pacing.wait("api-gateway", "UpdateStage")

    assert clock.at - 100.0 == pytest.approx(2.0)


def test_in_no_second_more_requests_are_sent_than_burst_and_rate_allow(pacing, clock) -> None:
    sent: list[float] = []
    for _ in range(100):
        pacing.wait("api-gateway", "GetStage")
        sent.append(clock.at)

    for at in sent:
        assert sum(at <= other < at + 1 for other in sent) <= 40 + 10


def test_a_pause_fills_the_burst_again_and_no_more(pacing, clock) -> None:
    for _ in range(60):
        pacing.wait("api-gateway", "GetStage")
    clock.at += 3600
    clock.slept.clear()

    for _ in range(40):
        pacing.wait("api-gateway", "GetStage")
    assert clock.slept == []
    pacing.wait("api-gateway", "GetStage")
    assert clock.slept == [pytest.approx(0.1)]


def test_deployments_of_an_api_come_one_in_five_seconds(pacing, clock) -> None:
    for _ in range(3):
        pacing.wait("api-gateway", "CreateDeployment")

    assert clock.at - 100.0 == pytest.approx(10.0)


def test_a_paced_operation_takes_from_the_total_of_its_service_too(clock) -> None:
    pacing = Pacing({("s", "*"): Quota(1, 2), ("s", "Slow"): Quota(100, 100)}, clock.now, clock.sleep)

    for _ in range(2):
        pacing.wait("s", "Slow")
    pacing.wait("s", "Other")

    assert clock.slept == [pytest.approx(1.0)]


@pytest.mark.parametrize(
    ("service", "operation"),
    [("lambda", "Invoke"), ("dynamodb", "PutItem"), ("s3", "PutObject"), ("lambda", "GetAlias"), ("sts", "X")],
)
def test_what_has_no_quota_here_never_waits(pacing, clock, service, operation) -> None:
    for _ in range(1000):
        pacing.wait(service, operation)

    assert clock.slept == []


def test_no_data_plane_is_paced() -> None:
    assert {service for service, _ in QUOTAS} == {"api-gateway", "cloudwatch"}
    assert not {operation for _, operation in QUOTAS} & {"GetMetricData", "PutMetricData"}


def test_many_threads_share_the_quota(clock) -> None:
    waited: list[float] = []
    pacing = Pacing({("s", "*"): Quota(10, 1)}, clock.now, waited.append)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: pacing.wait("s", "Op"), range(11)))

    assert sorted(waited) == [pytest.approx(n / 10) for n in range(1, 11)]


class Body(io.BytesIO):
    def stream(self):
        yield self.getvalue()


def broken_then_fine():
    """Answers for `before-send`: two that botocore tries again after, then a stage."""
    statuses = iter([503, 503, 200])
    return lambda request, **_: AWSResponse(request.url, next(statuses), {}, Body(b'{"stageName": "v1"}'))


def test_every_attempt_of_a_call_is_paced(monkeypatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr("random.random", lambda: 0.0)  # botocore's back-off
    asked: list[tuple[str, str]] = []

    class Watching(Pacing):
        def wait(self, service: str, operation: str) -> None:
            asked.append((service, operation))

    session = Session(None, "eu-west-1", "eu-west-1", Watching())
    client = session.client("apigateway")
    client.meta.events.register_last("before-send", broken_then_fine())

    assert client.get_stage(restApiId="a", stageName="v1")["stageName"] == "v1"

    assert asked == [("api-gateway", "GetStage")] * 3
    assert session.calls[0].attempts == 3
    session.close()
