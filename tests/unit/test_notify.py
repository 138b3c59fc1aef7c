"""What people are told: the message in each form, and what happens when it cannot be sent."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from fakes import START, FakeAws

from manuel_release import settings
from manuel_release.errors import ReleaseError
from manuel_release.model.notice import NoticeKind
from manuel_release.notify import notify
from manuel_release.record.notices import Notices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel_release.app import App

DETAILS = {"bad_requests": "12", "next": "manuel-release incident show i-1"}


class Topics:
    """Keeps what is published, or fails."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.sent: list[tuple[str, str, str, str, Mapping[str, str]]] = []

    def publish(self, topic: str, subject: str, message: str, email: str, attributes: Mapping[str, str]) -> str:
        if self.fault:
            raise ReleaseError(self.fault)
        self.sent.append((topic, subject, message, email, attributes))
        return "id"


def app(topics: Topics, **parameters: str) -> tuple[App, FakeAws]:
    aws: Any = FakeAws()
    aws.topics = topics
    aws.parameters.values.update(parameters)
    return SimpleNamespace(aws=aws, now=lambda: START), aws  # type: ignore[return-value]


KNOWN = {settings.TOPIC_PARAMETER: "arn:topic", settings.LEDGER_PARAMETER: "ledger"}


def tell(one: App, kind: NoticeKind = NoticeKind.ROLLBACK_COMPLETED) -> str:
    return notify(one, kind, "production", "r-13", "r-12 serves again.", DETAILS)


def test_a_notice_is_sent_in_each_form_and_written_down() -> None:
    topics = Topics()
    one, aws = app(topics, **KNOWN)

    assert tell(one) == ""

    ((topic, subject, message, email, attributes),) = topics.sent
    assert (topic, subject) == ("arn:topic", "Rollback completed: r-13 in production")
    assert email.splitlines() == [
        "r-12 serves again.",
        "",
        "bad requests: 12",
        "next: manuel-release incident show i-1",
        "at: 2026-11-23 06:00:00 UTC",
    ]
    chat = json.loads(message)
    assert (chat["version"], chat["source"], chat["content"]["textType"]) == ("1.0", "custom", "client-markdown")
    assert chat["content"]["description"] == "r-12 serves again.\n*bad requests*: 12"
    assert chat["content"]["nextSteps"] == ["`manuel-release incident show i-1`"]
    assert chat["metadata"]["threadId"] == "production-r-13"
    assert attributes == {
        "kind": "rollback_completed",
        "severity": "info",
        "environment": "production",
        "release": "r-13",
    }
    (kept,) = Notices(aws.table("ledger")).of("production")
    assert (kept.text, kept.details, kept.problem, kept.at) == ("r-12 serves again.", DETAILS, "", START)


def test_what_somebody_has_to_be_woken_up_for_is_critical() -> None:
    topics = Topics()
    one, _ = app(topics, **KNOWN)

    tell(one, NoticeKind.INCIDENT)
    tell(one, NoticeKind.INVESTIGATE)

    assert [sent[-1]["severity"] for sent in topics.sent] == ["critical", "info"]


def test_a_notice_that_cannot_be_sent_is_said_and_written_down_with_why() -> None:
    one, aws = app(Topics("SNS is away"), **KNOWN)

    assert tell(one) == "Nobody was told: SNS is away."
    (kept,) = Notices(aws.table("ledger")).of("production")
    assert kept.problem == "Nobody was told: SNS is away."


def test_without_a_topic_and_a_ledger_it_says_so_and_raises_nothing() -> None:
    one, _ = app(Topics())

    said = tell(one)

    assert "manuel-release bootstrap" in said
    assert said.endswith("The notice is not written down: there is no ledger.")


def test_faults_of_aws_are_sentences_too() -> None:
    one, aws = app(Topics(), **KNOWN)
    aws.faults["parameters.get"] = ReleaseError("SSM is away")

    assert tell(one) == "Nobody was told: SSM is away. The notice is not written down: SSM is away."
