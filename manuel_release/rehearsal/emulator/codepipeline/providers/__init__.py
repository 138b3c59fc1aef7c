"""What each action type does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator.codepipeline.providers import (
    approval,
    build,
    cloudformation,
    lambda_function,
    source,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.rehearsal.emulator.codepipeline.job import Job, Outcome

REQUIRES = {**cloudformation.REQUIRES, **lambda_function.REQUIRES}
APPROVAL_MINUTES = approval.DEFAULT_MINUTES
APPROVAL_SECONDS_PER_MINUTE = approval.SECONDS_PER_MINUTE

_RUN: dict[str, Callable[[Job], Outcome]] = {
    "CodeStarSourceConnection": source.connection,
    "CodeCommit": source.codecommit,
    "CodeBuild": build.run,
    "Manual": approval.run,
    "Lambda": lambda_function.run,
    "CloudFormation": cloudformation.run,
}


def of(action: dict[str, Any]) -> Callable[[Job], Outcome]:
    """The function that runs an action of this type."""
    return _RUN[action["actionTypeId"]["provider"]]
