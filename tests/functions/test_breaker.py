"""The circuit breaker, and what failures of AWS count for."""

from __future__ import annotations

import botocore.exceptions
import pytest
from manuel.breaker import CircuitBreaker
from manuel.errors import DependencyBusyError, DependencyUnavailableError
from manuel.store.clients import Dependency, config


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Service:
    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None

    def __call__(self) -> str:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return "answer"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("The thing", failures=3, open_seconds=10.0, clock=clock)


def fail(breaker: CircuitBreaker, service: Service, times: int) -> None:
    service.error = DependencyUnavailableError("down")
    for _ in range(times):
        with pytest.raises(DependencyUnavailableError):
            breaker.call(service)


def test_a_dependency_that_keeps_failing_is_not_asked_any_more(breaker: CircuitBreaker) -> None:
    service = Service()
    fail(breaker, service, 5)

    assert service.calls == 3


def test_while_open_the_caller_is_told_how_long_to_wait(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, Service(), 3)
    clock.now += 6.5

    with pytest.raises(DependencyUnavailableError, match="The thing is not answering") as raised:
        breaker.call(Service())

    assert raised.value.retry_after == 4


def test_a_call_that_works_after_the_pause_closes_it(breaker: CircuitBreaker, clock: Clock) -> None:
    service = Service()
    fail(breaker, service, 3)
    clock.now += 10
    service.error = None

    assert breaker.call(service) == "answer"
    fail(breaker, service, 2)
    assert service.calls == 3 + 1 + 2


def test_a_call_that_fails_after_the_pause_opens_it_at_once(breaker: CircuitBreaker, clock: Clock) -> None:
    service = Service()
    fail(breaker, service, 3)
    clock.now += 10
    fail(breaker, service, 2)

    assert service.calls == 3 + 1


def test_only_failures_in_a_row_count(breaker: CircuitBreaker) -> None:
    service = Service()
    fail(breaker, service, 2)
    service.error = None
    breaker.call(service)
    fail(breaker, service, 2)

    assert service.calls == 5


def test_a_refusal_is_an_answer_and_not_a_failure(breaker: CircuitBreaker) -> None:
    service = Service()
    fail(breaker, service, 2)
    service.error = ValueError("no")
    with pytest.raises(ValueError, match="no"):
        breaker.call(service)
    fail(breaker, service, 2)

    assert service.calls == 5


def client_error(code: str, status: int) -> botocore.exceptions.ClientError:
    answer = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(answer, "GetItem")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "error",
    [
        client_error("ThrottlingException", 400),
        client_error("ProvisionedThroughputExceededException", 400),
        client_error("InternalServerError", 500),
        client_error("SlowDown", 503),
        client_error("SomethingNew", 500),
        botocore.exceptions.ReadTimeoutError(endpoint_url="https://x"),
        botocore.exceptions.ConnectTimeoutError(endpoint_url="https://x"),
        botocore.exceptions.EndpointConnectionError(endpoint_url="https://x"),
        botocore.exceptions.ConnectionClosedError(endpoint_url="https://x"),
    ],
    ids=lambda error: str(error).split(" when ")[0],
)
def test_an_overloaded_or_silent_service_becomes_a_503_with_retry_after(error: Exception) -> None:
    service = Service()
    service.error = error

    with pytest.raises(DependencyUnavailableError) as raised:
        Dependency("The thing").call(service)

    assert raised.value.status == 503
    assert raised.value.retry_after


@pytest.mark.parametrize(
    "error", [client_error("AccessDeniedException", 400), client_error("ConditionalCheckFailedException", 400)]
)
def test_a_refusal_of_the_service_stays_what_it_is(error: Exception) -> None:
    service = Service()
    service.error = error

    with pytest.raises(botocore.exceptions.ClientError):
        Dependency("The thing").call(service)


def test_clients_have_bounded_attempts_of_bounded_time() -> None:
    settings = config(seconds=1.5)

    assert settings.connect_timeout == 1.0
    assert settings.read_timeout == 1.5
    assert settings.retries == {"mode": "standard", "total_max_attempts": 3}


class Pauses(list[float]):
    """Sleeps that only remember."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client_error(code: str, status: int) -> botocore.exceptions.ClientError:
    response = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(response, "Converse")  # type: ignore[arg-type]


def test_a_call_that_was_turned_away_is_made_again_after_growing_random_pauses() -> None:
    pauses, service = Pauses(), Service()
    service.error = client_error("ThrottlingException", 429)

    with pytest.raises(DependencyBusyError):
        Dependency("The model", attempts=4, sleep=pauses).call(service)

    assert (service.calls, len(pauses)) == (4, 3)
    assert all(0 <= pause <= limit for pause, limit in zip(pauses, (0.4, 0.8, 1.5), strict=True))
    other = Pauses()
    with pytest.raises(DependencyBusyError):
        Dependency("The model", attempts=4, sleep=other).call(service)
    assert other != pauses


def test_a_call_that_succeeds_the_second_time_is_no_failure() -> None:
    answers = iter([client_error("ThrottlingException", 429), None])

    def operation() -> str:
        error = next(answers)
        if error is not None:
            raise error
        return "answer"

    assert Dependency("The model", attempts=2, sleep=Pauses()).call(operation) == "answer"


@pytest.mark.parametrize(
    "error",
    [
        botocore.exceptions.ReadTimeoutError(endpoint_url="https://bedrock"),
        client_error("ModelTimeoutException", 408),
        client_error("ModelErrorException", 424),
        client_error("InternalServerException", 500),
    ],
)
def test_what_took_its_time_or_failed_inside_is_not_repeated(error: Exception) -> None:
    service = Service()
    service.error = error

    with pytest.raises(DependencyUnavailableError):
        Dependency("The model", attempts=3, sleep=Pauses()).call(service)

    assert service.calls == 1
