"""What goes wrong from outside, through the same AWS calls that people and machines make."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from manuel_release.errors import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.aws.session import Session

PROJECT = "manuel-observe"
BEATS_SECONDS = 8.0
"""How long an observer observes before it is killed: long enough for a sign of life."""
PATIENCE_SECONDS = 120.0


def kill_observer(session: Session) -> None:
    """Stop the build that observes the canary, as a broken machine would; raises EmulatorError when there is none."""
    client = session.client("codebuild")
    for _ in _looks():
        for build in client.list_builds_for_project(projectName=PROJECT)["ids"][:1]:
            if client.batch_get_builds(ids=[build])["builds"][0]["currentPhase"] == "BUILD":
                time.sleep(BEATS_SECONDS)
                client.stop_build(id=build)
                return
    raise EmulatorError("no build observes the canary")


def ring(session: Session, release: str) -> None:
    """Have the release's alarm ring as soon as CodeDeploy shifts traffic; raises EmulatorError when it does not."""
    codedeploy, cloudwatch = session.client("codedeploy"), session.client("cloudwatch")
    for _ in _looks():
        if codedeploy.list_deployments(includeOnlyStatuses=["InProgress"])["deployments"]:
            name = f"manuel-prod-{release}-5xx"
            cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="Rehearsed.")
            return
    raise EmulatorError("CodeDeploy shifts nothing")


def _looks() -> Iterator[None]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        yield
        time.sleep(0.3)
