"""CodePipeline's API (`CodePipeline_20150709`).

https://docs.aws.amazon.com/codepipeline/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from manuel_release.rehearsal.emulator import input_model, resources, targets
from manuel_release.rehearsal.emulator.codepipeline import (
    answers,
    conditions,
    event_targets,
    executions,
    job,
    notices,
    permissions,
    pipelines,
    providers,
    pushes,
    sources,
    state,
    template,
    views,
)
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.targets import Body, Caller, Operation

REQUIRES = {
    **conditions.REQUIRES,
    **event_targets.REQUIRES,
    **job.REQUIRES,
    **notices.REQUIRES,
    **providers.REQUIRES,
    **pushes.REQUIRES,
    **state.REQUIRES,
}
PREFIX = "CodePipeline_20150709"


def _override(_body: Body, _caller: Caller) -> NoReturn:
    raise ServiceError(
        "ConditionNotOverridableException", "Overriding a stage's condition is not emulated; retry the stage"
    )


_ALL: dict[str, Operation] = {
    **pipelines.OPERATIONS,
    **executions.OPERATIONS,
    **views.OPERATIONS,
    **answers.OPERATIONS,
    "OverrideStageCondition": _override,
}


SERVICE = targets.Service(
    namespace="codepipeline",
    operations=input_model.all_checked("codepipeline", _ALL, "ValidationException"),
    permissions=permissions.of,
)


def install() -> None:
    """Answer CodePipeline's requests and pushes from now on, and make its resources for CloudFormation."""
    targets.TARGETS[PREFIX] = SERVICE
    targets.at_reset(state.forget)
    targets.at_reset(sources.forget)
    pushes.install()
    event_targets.install()
    for name, kind in template.TYPES.items():
        resources.register(name, kind)
