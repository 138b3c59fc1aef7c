"""Tells people what happens to a release: an SNS message, and a record of it.

Slack and Teams get it through Amazon Q Developer in chat applications, which drops every text that is not in its own
format: https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html. E-mails get plain text. The message
attribute `severity` (`critical` or `info`) is what a pager's subscription filters by.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from manuel_release import settings as settings_module
from manuel_release.errors import ReleaseError
from manuel_release.model.notice import Notice, NoticeKind
from manuel_release.record.notices import Notices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel_release.app import App

NEXT = "next"
"""The detail that is a command to run."""


def notify(  # noqa: PLR0917 - what, where, about what, and in which words
    app: App, kind: NoticeKind, environment: str, release: str, text: str, details: Mapping[str, str] | None = None
) -> str:
    """Tell whoever subscribed to manuel-deployment-notifications, and keep a record of it. Never raises.

    Returns a sentence about what did not work; empty when it was sent and written down.
    """
    notice = Notice(kind, environment, release, app.now(), text, dict(details or {}))
    problem = _sent(app, notice)
    kept = _kept(app, replace(notice, problem=problem))
    return " ".join(part for part in (problem, kept) if part)


def _sent(app: App, notice: Notice) -> str:
    try:
        topic = app.aws.parameters.get(settings_module.TOPIC_PARAMETER)
        if topic is None:
            return (
                f"Nobody was told: SSM {settings_module.TOPIC_PARAMETER} names no topic; `manuel-release bootstrap` "
                "makes it."
            )
        app.aws.topics.publish(topic, subject(notice), chat(notice), plain(notice), attributes(notice))
    except ReleaseError as error:
        return f"Nobody was told: {error.message}."
    return ""


def _kept(app: App, notice: Notice) -> str:
    try:
        table = app.aws.parameters.get(settings_module.LEDGER_PARAMETER)
        if table is None:
            return "The notice is not written down: there is no ledger."
        Notices(app.aws.table(table)).keep(notice)
    except ReleaseError as error:
        return f"The notice is not written down: {error.message}."
    return ""


def subject(notice: Notice) -> str:
    """The first line: what, of which release, where."""
    return f"{notice.kind}: {notice.release} in {notice.environment}"


def plain(notice: Notice) -> str:
    """The message for people who read e-mail."""
    lines = [f"{name.replace('_', ' ')}: {value}" for name, value in notice.details.items()]
    return "\n".join([notice.text, "", *lines, f"at: {notice.at:%Y-%m-%d %H:%M:%S} UTC"])


def chat(notice: Notice) -> str:
    """The message for chat applications; JSON."""
    shown = {name: value for name, value in notice.details.items() if name != NEXT}
    lines = [f"*{name.replace('_', ' ')}*: {value}" for name, value in shown.items()]
    content = {
        "textType": "client-markdown",
        "title": subject(notice),
        "description": "\n".join([notice.text, *lines]),
        "keywords": [notice.environment, notice.release],
    }
    if NEXT in notice.details:
        content["nextSteps"] = [f"`{notice.details[NEXT]}`"]
    metadata = {
        "threadId": f"{notice.environment}-{notice.release}",
        "summary": notice.text,
        "eventType": notice.kind.name.lower(),
        "additionalContext": attributes(notice),
    }
    return json.dumps({"version": "1.0", "source": "custom", "content": content, "metadata": metadata})


def attributes(notice: Notice) -> dict[str, str]:
    """What subscriptions filter by."""
    return {
        "kind": notice.kind.name.lower(),
        "severity": "critical" if notice.kind.critical else "info",
        "environment": notice.environment,
        "release": notice.release,
    }
