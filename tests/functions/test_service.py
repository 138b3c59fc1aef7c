"""What every function does with every request: headers, errors, log lines, metrics."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from functions.events import ALICE, LambdaContext, call, proxy_event
from manuel.errors import DependencyUnavailableError, RateLimitedError
from manuel.http import SECURITY_HEADERS, Request, Response
from manuel.service import Service
from manuel.settings import Settings


def service_with(route: Any) -> Service:
    return Service(Settings.read(), {"GET /thing": route})


def fine(request: Request) -> Response:
    return Response(200, {"fine": True})


def broken(request: Request) -> Response:
    raise RuntimeError("secret-table-name at 10.0.0.7")


def unavailable(request: Request) -> Response:
    raise DependencyUnavailableError("The usage table is not answering at the moment.", retry_after=5)


def signed_in(request: Request) -> Response:
    return Response(200, {"user": request.user_id})


@pytest.mark.parametrize(
    ("route", "resource", "status"),
    [
        (fine, "/thing", 200),
        (fine, "/other", 404),
        (signed_in, "/thing", 401),
        (unavailable, "/thing", 503),
        (broken, "/thing", 500),
    ],
)
def test_every_response_says_which_release_served_which_request(
    environment: dict[str, str], route: Any, resource: str, status: int
) -> None:
    event = proxy_event("GET", resource)

    answer = call(service_with(route).serve, event)

    assert answer.status == status
    assert answer.headers["X-Manuel-Release"] == "r-7"
    assert answer.headers["X-Request-Id"] == event["requestContext"]["requestId"]
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("route", "resource", "status", "code"),
    [
        (fine, "/other", 404, "not_found"),
        (signed_in, "/thing", 401, "unauthorized"),
        (unavailable, "/thing", 503, "dependency_unavailable"),
        (broken, "/thing", 500, "internal_error"),
    ],
)
def test_errors_have_a_code_a_message_and_the_request_id(
    environment: dict[str, str], route: Any, resource: str, status: int, code: str
) -> None:
    event = proxy_event("GET", resource)

    answer = call(service_with(route).serve, event)

    assert answer.status == status
    assert answer.error.keys() == {"code", "message", "request_id"}
    assert answer.error["code"] == code
    assert answer.error["message"]
    assert answer.error["request_id"] == event["requestContext"]["requestId"]


def test_an_unexpected_error_tells_the_caller_nothing_and_the_log_everything(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = call(service_with(broken).serve, proxy_event("GET", "/thing"))

    for secret in ("secret-table-name", "10.0.0.7", "RuntimeError", "Traceback", "test_service"):
        assert secret not in answer.text
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    failure = next(line for line in logged if line.get("message") == "request failed")
    assert "secret-table-name at 10.0.0.7" in failure["exception"]
    assert failure["exception_name"] == "RuntimeError"
    assert failure["request_id"] == answer.error["request_id"]


def test_a_dependency_that_is_down_says_when_to_try_again(environment: dict[str, str]) -> None:
    assert call(service_with(unavailable).serve, proxy_event("GET", "/thing")).headers["Retry-After"] == "5"


def test_a_direct_invocation_is_answered_with_lambdas_request_id(environment: dict[str, str]) -> None:
    context = LambdaContext()

    result = service_with(fine).serve({"httpMethod": "GET", "path": "/thing"}, context)

    assert result["statusCode"] == 200
    assert result["headers"]["X-Request-Id"] == context.aws_request_id


@pytest.mark.parametrize("subject", ["", "../bob", "a/b", "x" * 129, "ü"])
def test_a_subject_that_is_no_cognito_id_is_nobody(environment: dict[str, str], subject: str) -> None:
    assert call(service_with(signed_in).serve, proxy_event("GET", "/thing", user=subject)).status == 401


def test_security_headers_come_with_advanced_security_only(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = call(service_with(fine).serve, proxy_event("GET", "/thing"))
    monkeypatch.setenv("MANUEL_ADVANCED_SECURITY", "true")
    secure = call(service_with(broken).serve, proxy_event("GET", "/thing"))

    assert not SECURITY_HEADERS.keys() & plain.headers.keys()
    assert SECURITY_HEADERS.items() <= secure.headers.items()
    assert {"Strict-Transport-Security", "X-Content-Type-Options"} <= secure.headers.keys()


def metrics_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [line for line in lines if "_aws" in line]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("route", "errors_4xx", "errors_5xx"), [(fine, 0, 0), (signed_in, 1, 0), (unavailable, 0, 1), (broken, 0, 1)]
)
def test_each_request_is_counted_with_its_class_of_error(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str], route: Any, errors_4xx: int, errors_5xx: int
) -> None:
    call(service_with(route).serve, proxy_event("GET", "/thing"))

    metrics = metrics_of(capsys)
    assert metrics["Requests"] == [1]
    assert metrics["Errors4xx"] == [errors_4xx]
    assert metrics["Errors5xx"] == [errors_5xx]
    assert metrics["Duration"][0] >= 0


def test_metrics_have_a_resolution_of_one_second_and_two_dimensions(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    call(service_with(fine).serve, proxy_event("GET", "/thing"))

    metrics = metrics_of(capsys)
    (described,) = metrics["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "Manuel/Application"
    assert [sorted(dimensions) for dimensions in described["Dimensions"]] == [["release", "service"]]
    assert (metrics["release"], metrics["service"]) == ("r-7", environment["AWS_LAMBDA_FUNCTION_NAME"])
    assert {m["StorageResolution"] for m in described["Metrics"]} == {1}
    assert {m["Name"] for m in described["Metrics"]} == {
        "Requests",
        "Errors4xx",
        "Errors5xx",
        "QuotaViolations",
        "Duration",
    }


def test_the_log_line_says_who_asked_what_of_which_release(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    event = proxy_event("GET", "/thing", user=ALICE)
    event["requestContext"]["isCanaryRequest"] = True

    call(service_with(signed_in).serve, event)

    line = json.loads(capsys.readouterr().out.splitlines()[0])
    assert line["message"] == "request served"
    assert (line["level"], line["status"], line["route"], line["user"]) == ("INFO", 200, "/thing", ALICE)
    assert (line["release"], line["environment"], line["canary"]) == ("r-7", "dev", True)
    assert line["request_id"] == event["requestContext"]["requestId"]
    assert "eyJ" not in json.dumps(line)  # the token


def test_a_body_that_is_not_the_base64_it_claims_to_be_is_refused(environment: dict[str, str]) -> None:
    event = {**proxy_event("GET", "/thing", raw="%%%"), "isBase64Encoded": True}

    assert call(service_with(fine).serve, event).status == 400


def test_a_base64_body_is_read(environment: dict[str, str]) -> None:
    event = {**proxy_event("GET", "/thing", raw="eyJhIjogMX0="), "isBase64Encoded": True}

    answer = call(service_with(lambda request: Response(200, request.json_object(at_most=None))).serve, event)

    assert answer.json == {"a": 1}


@pytest.mark.parametrize("raw", ["", "{", "[]", "null", "[" * 100_000, '{"a": "\\ud800"}', '{"\\uDFFFx": 1}'])
def test_a_body_that_is_no_json_object_is_refused(environment: dict[str, str], raw: str) -> None:
    service = service_with(lambda request: Response(200, request.json_object(at_most=None)))

    answer = call(service.serve, proxy_event("GET", "/thing", raw=raw))

    assert (answer.status, answer.error["code"]) == (400, "invalid_request")


def test_a_body_may_have_escaped_characters_of_every_plane(environment: dict[str, str]) -> None:
    event = proxy_event("GET", "/thing", raw='{"a": "\\ud83d\\ude00"}')

    answer = call(service_with(lambda request: Response(200, request.json_object(at_most=None))).serve, event)

    assert answer.json == {"a": "\U0001f600"}


def test_the_age_of_the_callers_session_is_a_metric(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    event = proxy_event("GET", "/thing", user=ALICE)
    event["requestContext"]["authorizer"]["claims"]["auth_time"] = str(int(time.time()) - 90)

    call(service_with(fine).serve, event)

    assert 85 <= metrics_of(capsys)["SessionDuration"][0] <= 150


def test_who_asks_too_fast_is_refused_before_the_route(environment: dict[str, str]) -> None:
    def full(request: Request) -> None:
        raise RateLimitedError("Too many requests.", retry_after=1)

    service = Service(Settings.read(), {"GET /thing": broken}, full)

    assert call(service.serve, proxy_event("GET", "/thing", user=ALICE)).status == 429
    assert call(service.serve, proxy_event("GET", "/thing")).status == 500  # nobody signed in: nobody to count
