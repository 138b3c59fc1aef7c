"""The rehearsal's Bedrock and Transcribe, asked through the AWS SDK as the service asks them."""

from __future__ import annotations

import ast
import json
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests_root import ROOT

from manuel_release.rehearsal.ai import knowledge, model, ranking, speech
from manuel_release.rehearsal.ai.faults import Faults
from manuel_release.rehearsal.ai.knowledge import passes
from manuel_release.rehearsal.ai.server import AiServices, running
from manuel_release.rehearsal.ai.wire import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "manuals"
SOURCES = sorted((ROOT / "manuel_release/rehearsal/ai").glob("*.py"))


class Memory:
    """Buckets in memory."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}

    def keys(self, bucket: str) -> list[str]:
        return sorted(key for where, key in self.files if where == bucket)

    def read(self, bucket: str, key: str) -> bytes | None:
        return self.files.get((bucket, key))

    def write(self, bucket: str, key: str, body: bytes) -> None:
        self.files[bucket, key] = body


class World:
    """The services over memory, and clients for them."""

    def __init__(self, objects: Memory, services: AiServices, endpoint: str) -> None:
        self.objects = objects
        self.services = services
        self.endpoint = endpoint
        self.clients: dict[str, Any] = {}

    def client(self, name: str) -> Any:
        if name not in self.clients:
            self.clients[name] = boto3.client(
                name,
                endpoint_url=self.endpoint,
                region_name="eu-west-1",
                aws_access_key_id="x",
                aws_secret_access_key="y",
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self.clients[name]

    def manual(self, name: str, text: str, user: str | None) -> None:
        self.objects.write(BUCKET, name, text.encode())
        if user is not None:
            side = json.dumps({"metadataAttributes": {"user_id": user}})
            self.objects.write(BUCKET, name + ".metadata.json", side.encode())

    def control(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_rehearsal/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def base(self) -> dict[str, str]:
        ids = self.control("POST", "knowledge-bases", {"bucket": BUCKET})
        return {"knowledgeBaseId": ids["knowledge_base_id"], "dataSourceId": ids["data_source_id"]}

    def search(self, base: str, text: str, user: str) -> list[Any]:
        where = {"equals": {"key": "user_id", "value": user}}
        answer = self.client("bedrock-agent-runtime").retrieve(
            knowledgeBaseId=base,
            retrievalQuery={"text": text},
            retrievalConfiguration={"vectorSearchConfiguration": {"filter": where}},
        )
        return list(answer["retrievalResults"])


@pytest.fixture
def world() -> Iterator[World]:
    objects = Memory()
    services = AiServices(objects)
    with running(services) as endpoint:
        made = World(objects, services, endpoint)
        yield made
        for client in made.clients.values():
            client.close()


def settle() -> None:
    time.sleep(knowledge.INGESTION_SECONDS * 1.5)


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_what_an_ingestion_read_is_found_by_its_owner_alone(world: World) -> None:
    world.manual("kettle.md", "Descale the kettle with citric acid.", "alice")
    world.manual("orphan.md", "Descale the kettle with vinegar.", None)
    ids = world.base()
    assert world.search(ids["knowledgeBaseId"], "descaling a kettle", "alice") == []  # nothing was read yet

    world.client("bedrock-agent").start_ingestion_job(**ids)
    settle()

    (found,) = world.search(ids["knowledgeBaseId"], "descaling a kettle", "alice")
    assert found["content"]["text"] == "Descale the kettle with citric acid."
    assert found["location"]["s3Location"]["uri"] == f"s3://{BUCKET}/kettle.md"
    assert found["metadata"] == {"user_id": "alice"}
    assert world.search(ids["knowledgeBaseId"], "descaling a kettle", "bob") == []


def test_one_ingestion_runs_at_a_time_and_the_same_token_is_the_same_job(world: World) -> None:
    ids, agent, token = world.base(), world.client("bedrock-agent"), "t" * 40
    first = agent.start_ingestion_job(**ids, clientToken=token)["ingestionJob"]

    assert agent.start_ingestion_job(**ids, clientToken=token)["ingestionJob"] == first
    with pytest.raises(ClientError) as error:
        agent.start_ingestion_job(**ids, clientToken="u" * 40)
    assert code(error) == "ConflictException"
    settle()
    assert agent.start_ingestion_job(**ids)["ingestionJob"]["ingestionJobId"] != first["ingestionJobId"]


def test_a_knowledge_base_that_is_not_there_is_not_found(world: World) -> None:
    with pytest.raises(ClientError) as error:
        world.search("NOTTHERE00", "x", "alice")

    assert code(error) == "ResourceNotFoundException"


def converse(world: World, message: str, system: str = "Be brief.") -> Any:
    return world.client("bedrock-runtime").converse(
        modelId="eu.amazon.nova-lite-v1:0",
        system=[{"text": system}],
        messages=[{"role": "user", "content": [{"text": message}]}],
    )


def test_the_model_replies_with_the_sentence_of_the_passages_that_fits(world: World) -> None:
    message = (
        "<passage>Fill it. Descale &amp; rinse the kettle monthly.</passage><question>When to descale it?</question>"
    )

    answer = converse(world, message)

    assert answer["output"]["message"]["content"] == [{"text": "Descale & rinse the kettle monthly."}]
    assert answer["usage"]["outputTokens"] == 6


def test_the_model_says_what_it_is_told_to_say_when_nothing_fits(world: World) -> None:
    answer = converse(world, "<passage>Fill it.</passage><question>Who won?</question>", "reply with exactly NOPE")

    assert answer["output"]["message"]["content"] == [{"text": "NOPE"}]
    assert model.reply("", "Who won?") == model.NOTHING


def job(world: World, audio: bytes, media_format: str = "wav") -> Any:
    world.objects.write("audio", "in", audio)
    world.client("transcribe").start_transcription_job(
        TranscriptionJobName="job",
        IdentifyLanguage=True,
        MediaFormat=media_format,
        Media={"MediaFileUri": "s3://audio/in"},
        OutputBucketName="audio",
        OutputKey="out.json",
    )
    return world.client("transcribe").get_transcription_job(TranscriptionJobName="job")["TranscriptionJob"]


def test_a_recording_is_heard_when_its_job_is_done(world: World) -> None:
    state = job(world, speech.recording("Grüß Gott"))
    assert state["TranscriptionJobStatus"] == "IN_PROGRESS"
    with pytest.raises(ClientError) as error:
        world.client("transcribe").delete_transcription_job(TranscriptionJobName="job")
    assert code(error) == "BadRequestException"

    time.sleep(speech.JOB_SECONDS * 1.5)
    state = world.client("transcribe").get_transcription_job(TranscriptionJobName="job")["TranscriptionJob"]

    assert state["TranscriptionJobStatus"] == "COMPLETED"
    output = json.loads(world.objects.files["audio", "out.json"])
    assert output["results"]["transcripts"] == [{"transcript": "Grüß Gott"}]
    world.client("transcribe").delete_transcription_job(TranscriptionJobName="job")
    with pytest.raises(ClientError) as error:
        world.client("transcribe").get_transcription_job(TranscriptionJobName="job")
    assert code(error) == "NotFoundException"


def test_a_recording_of_another_format_fails(world: World) -> None:
    world.services.transcriptions.seconds = 0.0

    state = job(world, speech.recording("x"), "mp4")

    assert (state["TranscriptionJobStatus"], state["FailureReason"]) == ("FAILED", speech.WRONG_FORMAT)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [({"throttle_percent": 100}, "ThrottlingException"), ({"error_percent": 100}, "InternalServerException")],
)
def test_planned_faults_hold_until_they_are_ended(world: World, plan: dict[str, float], expected: str) -> None:
    world.control("PUT", "faults/bedrock-runtime", plan)
    with pytest.raises(ClientError) as error:
        converse(world, "x")
    assert code(error) == expected

    state = world.control("DELETE", "faults")

    assert (state["plans"], state["calls"]) == ({}, {"bedrock-runtime": 1})
    assert converse(world, "x")["stopReason"] == "end_turn"


def test_a_planned_delay_is_waited(world: World) -> None:
    world.control("PUT", "faults/bedrock-runtime", {"delay_seconds": 0.3})
    began = time.monotonic()

    converse(world, "x")

    assert time.monotonic() - began >= 0.3


def test_the_same_seed_gives_the_same_faults() -> None:
    def outcomes(seed: int) -> list[str]:
        faults, found = Faults(seed), []
        faults.plan("transcribe", {"throttle_percent": 50})
        for _ in range(64):
            try:
                faults.meet("transcribe")
                found.append("")
            except AwsError as error:
                found.append(error.code)
        return found

    assert outcomes(1) == outcomes(1) != outcomes(2)
    assert set(outcomes(1)) == {"", "LimitExceededException"}
    assert 16 < outcomes(1).count("") < 48


@pytest.mark.parametrize(
    ("service", "plan"),
    [
        ("s3", {}),
        ("transcribe", {"share": 1}),
        ("transcribe", {"error_percent": 101}),
        ("transcribe", {"delay_seconds": -1}),
    ],
)
def test_what_is_no_plan_is_refused(service: str, plan: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"service|share|percent"):
        Faults().plan(service, plan)


@pytest.mark.parametrize(
    ("wanted", "passing"),
    [
        (None, True),
        ({"equals": {"key": "user_id", "value": "alice"}}, True),
        ({"equals": {"key": "user_id", "value": "bob"}}, False),
        ({"equals": {"key": "team", "value": "alice"}}, False),
        ({"notEquals": {"key": "user_id", "value": "bob"}}, True),
        ({"in": {"key": "user_id", "value": ["alice", "bob"]}}, True),
        ({"notIn": {"key": "user_id", "value": ["alice"]}}, False),
        ({"andAll": [{"equals": {"key": "user_id", "value": "alice"}}, {"equals": {"key": "n", "value": 2}}]}, False),
        ({"orAll": [{"equals": {"key": "user_id", "value": "bob"}}, {"equals": {"key": "n", "value": 1}}]}, True),
    ],
)
def test_filters_are_bedrocks(wanted: dict[str, Any] | None, passing: bool) -> None:
    assert passes({"user_id": "alice", "n": 1}, wanted) is passing


def test_a_filter_that_is_not_known_is_refused_and_never_ignored() -> None:
    with pytest.raises(AwsError, match="startsWith"):
        passes({}, {"startsWith": {"key": "user_id", "value": "a"}})


def test_a_text_that_shares_rarer_words_fits_better() -> None:
    texts = ["The kettle is grey.", "The kettle needs citric acid.", "A toaster."]

    first, second, third = ranking.scores("citric acid for the kettle", texts)

    assert second > first > third == 0.0


def test_short_paragraphs_stay_with_what_follows_them() -> None:
    paragraph = " ".join(["word"] * ranking.PASSAGE_WORDS)

    assert ranking.passages(f"# Title\n\n{paragraph}\n\nThe end.") == [f"# Title\n{paragraph}", "The end."]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.name)
def test_the_services_need_the_standard_library_only(path: Any) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.split(".")[0] in sys.stdlib_module_names or name.startswith("manuel_release.rehearsal.ai")
