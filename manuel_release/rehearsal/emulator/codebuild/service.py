"""CodeBuild's API (`CodeBuild_20161006`), instead of ministack's, whose builds succeed at once.

https://docs.aws.amazon.com/codebuild/latest/APIReference/Welcome.html
"""

from __future__ import annotations

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


_ALL = {**projects.OPERATIONS, **builds.OPERATIONS, **report_groups.OPERATIONS}
SERVICE = targets.Service(
    namespace="codebuild",
    operations=input_model.all_checked("codebuild", _ALL, "InvalidInputException"),
    permissions=permissions.of,
)


def install() -> None:
    """Answer CodeBuild's requests from now on, and make its resources for CloudFormation."""
    targets.TARGETS[PREFIX] = SERVICE
    targets.at_reset(state.forget)
    for name, kind in template.TYPES.items():
        resources.register(name, kind)
