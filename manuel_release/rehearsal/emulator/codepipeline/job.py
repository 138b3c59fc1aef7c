"""What an action's provider gets to work with, and how it says what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ministack.services import s3

from manuel_release.rehearsal.emulator.codepipeline import sources, state
from manuel_release.rehearsal.emulator.codepipeline.state import CHANGED

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.rehearsal.emulator.acting_role import Actor
    from manuel_release.rehearsal.emulator.codepipeline.state import ActionRun, Place

REQUIRES = {
    "ministack.services.s3._get_object_data": ("bucket_name", "key", "version_id"),
    "ministack.services.s3._put_object": ("bucket_name", "key", "body", "headers"),
}


class ActionFailed(Exception):  # noqa: N818 - an outcome
    """The action failed; code is `JobFailed`, `ConfigurationError`, `PermissionError` or `RevisionUnavailable`."""

    def __init__(self, message: str, *, code: str = "JobFailed", summary: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.summary = summary


class Gone(Exception):  # noqa: N818 - an outcome
    """Somebody abandoned the action, or the pipeline is gone."""


@dataclass(frozen=True)
class Outcome:
    """What a successful action leaves: its output variables and a sentence."""

    variables: dict[str, str] = field(default_factory=dict)
    summary: str = ""


@dataclass(frozen=True)
class Job:
    """One action that runs, and the role that it may use."""

    run: ActionRun
    actor: Actor

    def setting(self, key: str, default: str = "") -> str:
        """A configuration value, its variables resolved."""
        return self.run.configuration.get(key, default)

    def wait_for(self, ready: Callable[[], bool], seconds: float) -> bool:
        """Wait until `ready`, at most so many seconds; raises Gone when the action was abandoned."""
        deadline = time.monotonic() + seconds
        with CHANGED:
            while True:
                self.look()
                if ready():
                    return True
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                CHANGED.wait(left)

    def pause(self, seconds: float) -> None:
        """Wait so long; raises Gone."""
        self.wait_for(lambda: False, seconds)

    def look(self) -> None:
        """Raise Gone when nobody waits for this action any more."""
        if self.run.status != state.IN_PROGRESS or self.run.execution.forgotten:
            raise Gone

    def read(self, place: Place) -> bytes:
        """An input artifact's zip, read with the action's role."""
        self.actor.require("s3:GetObject", place.arn)
        body: bytes | None = s3._get_object_data(place.bucket, place.key)
        if body is None:
            raise ActionFailed(f"The artifact {place.arn} is not there", code="ConfigurationError")
        if sources.referred(body) is not None:
            raise ActionFailed(
                f"The artifact {place.arn} refers to a repository, which only CodeBuild reads",
                code="ConfigurationError",
            )
        return body

    def write(self, place: Place, body: bytes) -> None:
        """Store an output artifact's zip with the action's role."""
        self.actor.require("s3:PutObject", place.arn)
        status, _headers, _answer = s3._put_object(place.bucket, place.key, body, {})
        if status >= 400:
            raise ActionFailed(f"The artifact {place.arn} could not be written", code="ConfigurationError")
