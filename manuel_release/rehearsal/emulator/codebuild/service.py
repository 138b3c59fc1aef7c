"""CodeBuild's API (`CodeBuild_20161006`), instead of ministack's, whose builds succeed at once.

https://docs.aws.amazon.com/codebuild/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from manuel_release.rehearsal.emulator import acting_role, input_model, resources, targets
from manuel_release.rehearsal.emulator.codebuild import (
    builds,
    inputs,
    logs,
    notices,
    outputs,
    permissions,
    projects,
    report_groups,
    state,
    template,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.rehearsal.emulator.targets import Body, Caller

REQUIRES = {
    **acting_role.REQUIRES,
    **inputs.REQUIRES,
    **logs.REQUIRES,
    **notices.REQUIRES,
    **outputs.REQUIRES,
    **state.REQUIRES,
    **template.REQUIRES,
}
PREFIX = "CodeBuild_20161006"


def _checked(name: str, operation: Callable[[Body, Caller], Body]) -> Callable[[Body, Caller], Body]:
    @functools.wraps(operation)
    def answer(body: Body, caller: Caller) -> Body:
        input_model.check("codebuild", name, body, "InvalidInputException")
        return operation(body, caller)

    return answer


_ALL = {**projects.OPERATIONS, **builds.OPERATIONS, **report_groups.OPERATIONS}
SERVICE = targets.Service(
    namespace="codebuild",
    operations={name: _checked(name, operation) for name, operation in _ALL.items()},
    permissions=permissions.of,
)


def install() -> None:
    """Answer CodeBuild's requests from now on, and make its resources for CloudFormation."""
    targets.TARGETS[PREFIX] = SERVICE
    targets.at_reset(state.forget)
    for name, kind in template.TYPES.items():
        resources.register(name, kind)
