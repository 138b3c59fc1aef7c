"""The API's stage: its variables and its definition, and the public URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.apply.context import Context, Done
from manuel_release.errors import ReleaseError
from manuel_release.observe.asking import Answer, ask
from manuel_release.observe.service import observe_stage, service_of

if TYPE_CHECKING:
    from manuel_release.model.plan import CheckHealth, UseApiDeployment, WriteStageVariables
    from manuel_release.model.traffic import ApiStage
    from manuel_release.observe.service import Service


def write_stage_variables(step: WriteStageVariables, context: Context) -> Done:
    """One UpdateStage with the variables that differ, none when all are so already."""
    service = service_of(context.aws, step.stack)
    stage = _stage(context, service)
    if any(stage.variables.get(name) != value for name, value in step.only_if.items()):
        return Done("somebody wrote another one since", skipped=True)
    different = {name: value for name, value in step.variables.items() if stage.variables.get(name) != value}
    if not different:
        return Done("they are so already", skipped=True)
    context.aws.gateway.write_variables(service.rest_api_id, service.api_stage, different)
    return Done(", ".join(f"{name}={value}" for name, value in different.items()))


def use_api_deployment(step: UseApiDeployment, context: Context) -> Done:
    """One UpdateStage when the stage serves another definition of the API, none when it serves that one already.

    API Gateway refuses it while the stage has a canary.
    """
    service = service_of(context.aws, step.stack)
    stage, wanted = _stage(context, service), step.deployment or service.api_deployment
    if not wanted:
        return Done("the stack does not say which is its own", skipped=True)
    if stage.deployment_id == wanted:
        return Done(f"it serves {wanted} already", skipped=True)
    context.aws.gateway.use_deployment(service.rest_api_id, service.api_stage, wanted)
    return Done(f"{stage.deployment_id} -> {wanted}")


def check_health(step: CheckHealth, context: Context) -> Done:
    """Ask `/health` at the public URL until the release answered `health_answers` times in a row.

    Raises ReleaseError after `health_seconds` with what it last saw.
    """
    service = service_of(context.aws, step.stack)
    url = context.settings.public_url(service.rest_api_id, service.api_stage, context.region) + "/health"
    began, good, asked = context.now(), 0, 0
    last = Answer(0)
    while good < context.settings.health_answers:
        last = ask(url)
        asked += 1
        healthy = last.status == 200 and last.release == step.release
        good = good + 1 if healthy else 0
        waited = (context.now() - began).total_seconds()
        if not healthy and waited > context.settings.health_seconds:
            raise ReleaseError(
                f"{url} does not answer with {step.release} after {waited:.0f} s: {_seen(last)}",
                hint="`manuel-release status` shows what serves; the access log of the API shows what users get.",
            )
        if not healthy:
            context.sleep(min(1.0, context.settings.poll_seconds))
    return Done(f"{url} answers with {step.release} ({asked} asked)")


def _stage(context: Context, service: Service) -> ApiStage:
    found = observe_stage(context.aws, service)
    if found is None:
        raise ReleaseError(f"the API {service.rest_api_id} has no stage {service.api_stage}")
    return found


def _seen(answer: Answer) -> str:
    if answer.status == 0:
        return f"no answer ({answer.problem})"
    return f"HTTP {answer.status} from {answer.release or 'no release'}"
