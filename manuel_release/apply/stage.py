"""Stage variables, and the public URL."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.apply.context import Context, Done
from manuel_release.apply.smoke import released_by
from manuel_release.errors import ReleaseError
from manuel_release.observe.service import observe_stage, service_of

if TYPE_CHECKING:
    from manuel_release.model.plan import CheckHealth, WriteStageVariables

REQUEST_SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """One answer of the public URL; status 0 when there was none, and then `problem` says why."""

    status: int
    release: str = ""
    problem: str = ""


def ask(url: str, timeout: float = REQUEST_SECONDS) -> Answer:
    """One GET; `timeout` in seconds."""
    request = urllib.request.Request(url, headers={"Accept": "application/json", "Cache-Control": "no-cache"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return Answer(response.status, released_by(response.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, released_by(error.headers), f"HTTP {error.code}")
    except (urllib.error.URLError, OSError) as error:
        return Answer(0, problem=str(getattr(error, "reason", error)))


def write_stage_variables(step: WriteStageVariables, context: Context) -> Done:
    """One UpdateStage with the variables that differ, none when all are so already."""
    service = service_of(context.aws, step.stack)
    stage = observe_stage(context.aws, service)
    if stage is None:
        raise ReleaseError(f"the API {service.rest_api_id} has no stage {service.api_stage}")
    different = {name: value for name, value in step.variables.items() if stage.variables.get(name) != value}
    if not different:
        return Done("they are so already", skipped=True)
    context.aws.gateway.write_variables(service.rest_api_id, service.api_stage, different)
    return Done(", ".join(f"{name}={value}" for name, value in different.items()))


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


def _seen(answer: Answer) -> str:
    if answer.status == 0:
        return f"no answer ({answer.problem})"
    return f"HTTP {answer.status} from {answer.release or 'no release'}"
