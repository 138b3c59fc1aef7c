"""Every line of the service's description over HTTP, on the embedded AWS, as an app with Cognito users asks."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from emulator.service_world import (
    KETTLE,
    SECURITY_HEADERS,
    TOASTER,
    Service,
    User,
    deployed,
    request,
    sam_deploy,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(600)]
QUESTION = "What do I descale the kettle with?"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with deployed(tmp_path_factory.mktemp("service"), EnableAdvancedSecurity="true", DailyQuotaLimit="12") as made:
        yield made


@pytest.fixture
def user(service: Service) -> Iterator[User]:
    yield service.user()
    service.faults()


def test_health_needs_no_token_and_says_what_runs(service: Service) -> None:
    reply = request("GET", f"{service.url}/health")

    assert reply.status == 200
    assert reply.json == {"status": "healthy", "release": "r-1", "version": "1.0.0", "environment": "dev"}


def test_a_deep_health_check_has_a_line_for_each_dependency_and_is_503_when_one_is_down(service: Service) -> None:
    well = request("GET", f"{service.url}/health?deep=1")
    service.faults("bedrock-agent", error_percent=100)
    ill = request("GET", f"{service.url}/health?deep=1")
    service.faults()

    assert well.status == 200, well.text
    assert {d["name"]: d["status"] for d in well.json["dependencies"]} == {
        "dynamodb": "up",
        "s3": "up",
        "bedrock": "up",
    }
    assert ill.status == 503
    assert {d["name"]: d["status"] for d in ill.json["dependencies"]}["bedrock"] == "down"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/transcribe"),
        ("POST", "/api/query"),
        ("GET", "/api/usage"),
        ("GET", "/api/user/usage"),
        ("GET", "/api/user/quota"),
        ("GET", "/api/manuals"),
        ("POST", "/api/manuals/upload"),
        ("GET", f"/api/manuals/{'0' * 32}"),
        ("GET", f"/api/manuals/{'0' * 32}/download"),
        ("DELETE", f"/api/manuals/{'0' * 32}"),
    ],
)
def test_everything_else_needs_a_token_but_answers_preflights(service: Service, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "eyJhbGciOiJub25lIn0.e30."}):
        refused = request(method, service.url + path, headers=headers)
        assert refused.status == 401
        assert refused.json["error"].keys() == {"code", "message", "request_id"}

    preflight = request("OPTIONS", service.url + path, headers={"Origin": "https://app.example.com"})
    assert preflight.status == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"


def test_a_question_is_answered_from_the_callers_own_manual_with_its_source(service: Service, user: User) -> None:
    manual_id = user.upload("kettle.md", KETTLE)

    answer = user.knows(QUESTION)

    assert answer["answer"] == "Descale the kettle once a month with citric acid."
    assert [(s["manual_id"], s["file_name"]) for s in answer["sources"]] == [(manual_id, "kettle.md")]
    assert answer["context_used"] == 1
    assert answer["usage"]["daily"]["used"] >= 2  # the upload and the question


def test_what_the_manuals_do_not_say_is_not_known(service: Service, user: User) -> None:
    user.upload("kettle.md", KETTLE)
    user.knows(QUESTION)

    answer = user.query("Which football club wins tomorrow?").json

    assert "do not know" in answer["answer"]
    assert (answer["sources"], answer["context_used"]) == ([], 0)


def test_one_users_manual_answers_nobody_else(service: Service, user: User) -> None:
    other = service.user()
    manual_id = user.upload("kettle.md", KETTLE)
    other.upload("toaster.md", TOASTER)
    assert user.knows(QUESTION)
    assert other.knows("When do I empty the crumb tray of the toaster?")

    assert other.query(QUESTION).json["sources"] == []
    assert [m["file_name"] for m in other.ask("GET", "/api/manuals").json["manuals"]] == ["toaster.md"]
    for method, ending in (("GET", ""), ("GET", "/download"), ("DELETE", "")):
        assert other.ask(method, f"/api/manuals/{manual_id}{ending}").status == 404
    mine, theirs = (one.ask("GET", "/api/usage").json["daily"]["used"] for one in (user, other))
    assert other.query(QUESTION).status == 200
    assert user.ask("GET", "/api/usage").json["daily"]["used"] == mine
    assert other.ask("GET", "/api/usage").json["daily"]["used"] == theirs + 1
    assert user.ask("GET", f"/api/manuals/{manual_id}").status == 200


def test_a_deleted_manual_answers_no_more(service: Service, user: User) -> None:
    manual_id = user.upload("kettle.md", KETTLE)
    assert user.knows(QUESTION)

    assert user.ask("DELETE", f"/api/manuals/{manual_id}").status == 204

    bucket = service.outputs["ManualsBucketName"]
    assert until(lambda: user.query(QUESTION).json.get("sources") == [])
    assert service.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"manuals/{user.sub}/")["KeyCount"] == 0


def test_an_upload_gets_a_side_file_that_says_whose_it_is(service: Service, user: User) -> None:
    manual_id = user.upload("kettle.md", KETTLE)
    s3, bucket = service.client("s3"), service.outputs["ManualsBucketName"]
    prefix = f"manuals/{user.sub}/{manual_id}/"

    keys = until(
        lambda: (found := s3.list_objects_v2(Bucket=bucket, Prefix=prefix))["KeyCount"] == 2 and found["Contents"]
    )

    assert [entry["Key"] for entry in keys] == [f"{prefix}kettle.md", f"{prefix}kettle.md.metadata.json"]
    side = json.loads(s3.get_object(Bucket=bucket, Key=keys[1]["Key"])["Body"].read())
    assert side["metadataAttributes"]["user_id"] == user.sub


def test_a_file_that_is_not_what_its_name_says_is_never_searched(service: Service, user: User) -> None:
    manual_id = user.upload("kettle.pdf", KETTLE)
    good = user.upload("toaster.md", TOASTER)
    assert user.knows("When do I empty the crumb tray of the toaster?")  # events were handled

    assert user.query(QUESTION).json["sources"] == []
    found = service.client("s3").list_objects_v2(
        Bucket=service.outputs["ManualsBucketName"], Prefix=f"manuals/{user.sub}/"
    )
    names = {entry["Key"].removeprefix(f"manuals/{user.sub}/") for entry in found["Contents"]}
    assert f"{manual_id}/kettle.pdf.metadata.json" not in names
    assert f"{good}/toaster.md.metadata.json" in names


def test_an_ingestion_that_cannot_start_is_tried_again_and_then_kept_in_the_queue(service: Service, user: User) -> None:
    sqs = service.client("sqs")
    queue = sqs.get_queue_url(QueueName="manuel-process-manual-failures-dev")["QueueUrl"]
    service.faults("bedrock-agent", error_percent=100)
    manual_id = user.upload("kettle.md", KETTLE)

    def kept() -> Any:
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [message["Body"] for message in found if manual_id in message["Body"]]

    (body,) = until(kept)
    assert user.sub in body


def test_what_is_said_is_written_down_and_nothing_is_kept(service: Service, user: User) -> None:
    reply = user.say("How do I descale the kettle?")

    assert reply.status == 200, reply.text
    assert reply.json["transcription"] == "How do I descale the kettle?"
    assert reply.json["usage"]["daily"]["used"] == 1
    bucket = service.outputs["AudioBucketName"]
    assert service.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"recordings/{user.sub}/")["KeyCount"] == 0
    assert service.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"transcripts/{user.sub}/")["KeyCount"] == 0


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/query", {}, 400),
        ("/api/query", {"question": "x" * 1001}, 413),
        ("/api/query", {"question": "x", "padding": "y" * 20_000}, 413),
        ("/api/query", {"question": "a\u0007b"}, 400),
        ("/api/transcribe", {"audio_data": "AAAA", "content_type": "audio/mpeg"}, 400),
        ("/api/transcribe", {"audio_data": "AAAA", "content_type": "audio/wav"}, 400),
        ("/api/transcribe", {"audio_data": "A" * 5_700_000, "content_type": "audio/wav"}, 413),
        ("/api/manuals/upload", {"file_name": "a.exe", "size_bytes": 1}, 400),
        ("/api/manuals/upload", {"file_name": "a.pdf", "size_bytes": 60_000_000}, 413),
    ],
)
def test_what_cannot_be_is_refused_and_costs_nothing(
    service: Service, user: User, path: str, body: Any, status: int
) -> None:
    refused = user.ask("POST", path, body)

    assert refused.status == status, refused.text
    assert refused.json["error"].keys() == {"code", "message", "request_id"}
    assert user.ask("GET", "/api/usage").json["daily"]["used"] == 0


def test_every_answer_names_its_release_its_request_and_is_secured(service: Service, user: User) -> None:
    for reply in (user.ask("GET", "/api/usage"), user.ask("GET", f"/api/manuals/{'0' * 32}"), user.query("")):
        assert reply.headers["X-Manuel-Release"] == "r-1"
        assert reply.headers["X-Request-Id"]
        assert reply.headers.keys() >= SECURITY_HEADERS


def test_a_quota_is_not_overrun_by_a_race(service: Service, user: User) -> None:
    other = service.user()

    def upload(_: int) -> int:
        return user.ask("POST", "/api/manuals/upload", {"file_name": "a.md", "size_bytes": 1}).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(upload, range(19)))  # fewer than the rate limit's bucket holds

    assert (statuses.count(201), statuses.count(429)) == (12, 7)
    refused = until(lambda: (one := user.query("x")).code == "quota_exceeded" and one)
    assert refused.status == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 86_400
    assert until(lambda: (one := user.ask("GET", "/api/usage")).status == 200 and one).json["daily"]["remaining"] == 0
    assert other.query("x").status == 200


def test_a_caller_who_asks_too_fast_waits_and_others_do_not(service: Service, user: User) -> None:
    def usage(_: int) -> Any:
        return user.ask("GET", "/api/usage")

    def too_fast() -> Any:
        with ThreadPoolExecutor(8) as pool:
            return [reply for reply in pool.map(usage, range(40)) if reply.status == 429]

    refused = until(too_fast)[0]

    assert refused.code == "too_many_requests"
    assert refused.headers["Retry-After"] == "1"
    assert service.user().ask("GET", "/api/usage").status == 200


def test_throttled_bedrock_is_503_with_retry_after_costs_nothing_and_opens_the_circuit(
    service: Service, user: User
) -> None:
    user.upload("kettle.md", KETTLE)
    used = user.knows(QUESTION)["usage"]["daily"]["used"]
    service.faults("bedrock-runtime", throttle_percent=100)

    replies = [user.query(QUESTION) for _ in range(7)]
    asked = service.ai_calls("bedrock-runtime")
    shut = [user.query(QUESTION) for _ in range(2)]

    assert {reply.status for reply in [*replies, *shut]} == {503}
    assert all(reply.code == "dependency_unavailable" and int(reply.headers["Retry-After"]) >= 1 for reply in replies)
    assert service.ai_calls("bedrock-runtime") == asked  # open: nobody is asked
    assert user.ask("GET", "/api/usage").json["daily"]["used"] == used
    service.faults()
    assert until(lambda: user.query(QUESTION).status == 200)  # half-open, and closed again


def test_a_transcription_that_fails_is_503_and_costs_nothing(service: Service, user: User) -> None:
    service.faults("transcribe", throttle_percent=100)

    reply = user.say("Hello")

    assert (reply.status, reply.code) == (503, "dependency_unavailable")
    assert int(reply.headers["Retry-After"]) >= 1
    assert user.ask("GET", "/api/usage").json["daily"]["used"] == 0


def test_sam_deploys_the_built_template_with_the_firewall_before_it(service: Service) -> None:
    """Plain `sam deploy`, as people without the tool do it; staging, because dev has no firewall."""
    done = sam_deploy(service, "manuel-staging", "parameters-staging.json")

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    staging = Service(service.folder, service.cloud, service.stack_outputs("manuel-staging"))
    health = request("GET", f"{staging.url}/health")
    assert (health.status, health.json["environment"]) == (200, "staging")
    stage = f"/restapis/{staging.outputs['ApiId']}/stages/{staging.outputs['ApiStage']}"
    waf = service.client("wafv2")
    acl = waf.get_web_acl_for_resource(ResourceArn=f"arn:aws:apigateway:eu-west-1::{stage}")["WebACL"]
    assert acl["Name"] == "manuel-api-staging"
    assert [one["Name"] for one in waf.list_web_acls(Scope="REGIONAL")["WebACLs"]] == ["manuel-api-staging"]
