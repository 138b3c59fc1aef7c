"""A build's output in CloudWatch Logs, as the service role may write it.

https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.rehearsal.emulator import log_streams, scope
from manuel_release.rehearsal.emulator.acting_role import AccessDenied

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codebuild.state import Build

REQUIRES = log_streams.REQUIRES


class LogStream:
    """The stream of one build; text is kept until its line is complete."""

    def __init__(self, build: Build) -> None:
        self._actor = build.actor
        self._group, self._stream = build.log_place()
        self._rest = ""

    def open(self) -> None:
        """Make group and stream; raises AccessDenied."""
        if not self._group:
            return
        if not log_streams.has_group(self._group):
            self._require("logs:CreateLogGroup")
            log_streams.make_group(self._group)
        self._require("logs:CreateLogStream")
        self._require("logs:PutLogEvents")
        log_streams.make(self._group, self._stream)

    def _require(self, action: str) -> None:
        """Policies name a group with or without the `:*` that stands for its streams."""
        account_id, region = scope.current()
        group = f"arn:aws:logs:{region}:{account_id}:log-group:{self._group}"
        try:
            self._actor.require(action, f"{group}:log-stream:{self._stream}")
        except AccessDenied:
            self._actor.require(action, group)

    def write(self, text: str) -> None:
        """Add what the build printed."""
        *lines, self._rest = (self._rest + text).split("\n")
        self._put(lines)

    def close(self) -> None:
        """Add what is left of an unfinished line."""
        if self._rest:
            self._put([self._rest])
            self._rest = ""

    def _put(self, lines: list[str]) -> None:
        if self._group:
            log_streams.append(self._group, self._stream, [line + "\n" for line in lines])
