"""What S3's notifications about the manuals bucket lead to."""

from __future__ import annotations

import json
import time
import urllib.parse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from functions.backing import BUCKET
from functions.events import ALICE, LambdaContext, call, proxy_event
from functions.metrics import published
from manuel import process_manual
from manuel.errors import DependencyBusyError, DependencyUnavailableError
from manuel.http import Request
from manuel.logic import notices
from manuel.store.manuals import ManualStore

from manuel_release.rehearsal.ai import knowledge

if TYPE_CHECKING:
    from functions.ai_world import Ai

MANUAL = "0" * 32
KEY = f"manuals/{ALICE}/{MANUAL}/kettle.md"


def put(key: str = KEY, body: bytes = b"Descale the kettle.") -> None:
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def notice(key: str = KEY, event: str = "ObjectCreated:Put", sequencer: str = "0055AED6DCD90281E5") -> dict[str, Any]:
    """What S3 sends.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    record = {
        "eventVersion": "2.3",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-11-23T12:00:00.000Z",
        "eventName": event,
        "s3": {
            "bucket": {"name": BUCKET},
            "object": {"key": urllib.parse.quote_plus(key, safe="/"), "size": 5, "sequencer": sequencer},
        },
    }
    return {"Records": [record]}


def handle(event: dict[str, Any]) -> Any:
    return process_manual.handler(event, LambdaContext())


def keys() -> set[str]:
    return {entry["Key"] for entry in boto3.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def settle() -> None:
    time.sleep(knowledge.INGESTION_SECONDS * 1.5)


def test_an_upload_gets_its_side_file_and_an_ingestion(ai: Ai) -> None:
    put()

    assert handle(notice()) is None

    side = json.loads(boto3.client("s3").get_object(Bucket=BUCKET, Key=KEY + ".metadata.json")["Body"].read())
    assert side["metadataAttributes"] == {"user_id": ALICE, "manual_id": MANUAL, "file_name": "kettle.md"}
    settle()
    request = {"retrievalQuery": {"text": "descale"}}
    (found,) = ai.services.knowledge.retrieve(ai.ids["knowledge_base_id"], request)["retrievalResults"]
    assert found["metadata"]["user_id"] == ALICE


def test_side_files_and_other_objects_lead_to_nothing(ai: Ai) -> None:
    for key in (KEY + ".metadata.json", "manuals/x.md", f"other/{ALICE}/{MANUAL}/a.md", f"manuals/../{MANUAL}/a.md"):
        handle(notice(key))

    assert keys() == set()
    assert ai.calls("bedrock-agent") == 0


def test_the_same_event_again_changes_nothing_and_another_one_does(ai: Ai) -> None:
    put()
    handle(notice())
    job = ai.services.knowledge._bases[ai.ids["knowledge_base_id"]].job
    handle(notice())  # at once, while the first job still runs

    assert ai.services.knowledge._bases[ai.ids["knowledge_base_id"]].job is job
    settle()
    handle(notice(sequencer="0055AED6DCD90281E6"))
    assert ai.services.knowledge._bases[ai.ids["knowledge_base_id"]].job is not job


def test_while_another_ingestion_runs_lambda_is_to_try_again(ai: Ai, capsys: pytest.CaptureFixture[str]) -> None:
    put()
    handle(notice())

    with pytest.raises(DependencyBusyError):
        handle(notice(sequencer="0055AED6DCD90281E6"))

    assert published(capsys)["Errors5xx"] == 1


def test_a_failure_is_raised_so_that_lambda_tries_again(ai: Ai) -> None:
    put()
    ai.services.faults.plan("bedrock-agent", {"error_percent": 100})

    with pytest.raises(DependencyUnavailableError):
        handle(notice())


def test_a_deletion_has_the_bucket_read_again_and_writes_nothing(ai: Ai) -> None:
    handle(notice(event="ObjectRemoved:DeleteMarkerCreated"))

    assert keys() == set()
    assert ai.calls("bedrock-agent") == 1


def test_a_name_is_read_as_s3_encodes_it(ai: Ai) -> None:
    key = f"manuals/{ALICE}/{MANUAL}/Käse & Brot +1.md"
    put(key)

    handle(notice(key))

    assert keys() == {key, key + ".metadata.json"}


@pytest.mark.parametrize(("secure", "marked"), [("true", False), ("false", True)])
def test_with_advanced_security_a_file_must_be_what_its_name_says(
    ai: Ai, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], secure: str, marked: bool
) -> None:
    monkeypatch.setenv("MANUEL_ADVANCED_SECURITY", secure)
    key = f"manuals/{ALICE}/{MANUAL}/kettle.pdf"
    put(key)

    handle(notice(key))

    assert (key + ".metadata.json" in keys()) is marked
    assert published(capsys)["ManualsRejected"] == int(not marked)
    assert ai.calls("bedrock-agent") == int(marked)


@pytest.mark.parametrize("secure", ["true", "false"])
def test_a_manual_that_is_gone_already_is_not_marked(
    ai: Ai, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], secure: str
) -> None:
    monkeypatch.setenv("MANUEL_ADVANCED_SECURITY", secure)

    handle(notice())

    assert keys() == set()
    told = published(capsys)
    assert (told["ManualsProcessed"], told["ManualsRejected"]) == (0, 0)
    assert ai.calls("bedrock-agent") == 0


class DeletedMeanwhile(ManualStore):
    """The user deletes the manual while it is processed: `when` says before or after its side file is written."""

    when = "before"

    def delete_now(self) -> None:
        self.delete(ALICE, MANUAL)

    def mark(self, key: str, side_file: bytes) -> None:
        if self.when == "before":
            self.delete_now()
        super().mark(key, side_file)
        if self.when == "after":
            self.delete_now()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_manual_that_is_deleted_while_it_is_processed_leaves_nothing_behind(ai: Ai, when: str) -> None:
    put()
    store = DeletedMeanwhile(BUCKET)
    store.when = when
    endpoint = replace(process_manual.parts()[0], manuals=store)

    endpoint.process(notices.read(notice()), Request(method="S3", route="test", request_id="i"))

    assert keys() == set()
    assert ai.calls("bedrock-agent") == 0, "its deletion has the bucket read again, not its upload"


class ListedEarlier(ManualStore):
    """A deletion that listed the manual before its side file was there, and that goes on when it has been written."""

    def _objects(self, user_id: str, manual_id: str) -> Any:
        found = super()._objects(user_id, manual_id)
        handle(notice())
        assert KEY + ".metadata.json" in keys()
        return found


@pytest.mark.usefixtures("ai")
def test_a_deletion_removes_a_side_file_that_was_written_while_it_ran() -> None:
    put()

    ListedEarlier(BUCKET).delete(ALICE, MANUAL)

    assert keys() == set()


def test_a_side_file_that_a_killed_call_left_is_removed_when_lambda_calls_again(ai: Ai) -> None:
    put(KEY + ".metadata.json", b"{}")

    handle(notice())

    assert keys() == set()


def test_a_manual_that_is_uploaded_again_keeps_its_side_file_when_the_old_ones_deletion_is_told_late(ai: Ai) -> None:
    put()
    handle(notice())
    settle()

    handle(notice(event="ObjectRemoved:Delete"))

    assert keys() == {KEY, KEY + ".metadata.json"}


@pytest.mark.usefixtures("aws")
def test_without_a_knowledge_base_manuals_are_marked_for_later() -> None:
    put()

    handle(notice())

    assert KEY + ".metadata.json" in keys()


@pytest.mark.usefixtures("aws")
def test_a_request_over_http_is_answered_by_the_release_and_writes_nothing() -> None:
    answer = call(process_manual.handler, proxy_event("GET", "/"))

    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert answer.headers["X-Manuel-Release"] == "r-7"
    assert keys() == set()
