"""`bootstrap`: what an account needs before its first release: ledger, artifact bucket, and the settings in SSM."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from manuel_release import settings as settings_module
from manuel_release.apply.context import Context
from manuel_release.apply.executor import StepFailed, execute
from manuel_release.apply.prepare import described, discard
from manuel_release.artifact import template
from manuel_release.errors import Refused, SettingsError
from manuel_release.model.bootstrap import BootstrapOutcome
from manuel_release.model.outcome import OutcomeStatus
from manuel_release.model.plan import ExecuteChangeSet
from manuel_release.model.progress import StepResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.app import App
    from manuel_release.model.progress import Progress
    from manuel_release.model.stack import ChangeSet

TEMPLATE = "operations.yaml"


def bootstrap(
    app: App,
    progress: Progress,
    show: Callable[[ChangeSet], None],
    agree: Callable[[ChangeSet], bool],
) -> BootstrapOutcome:
    """Make or update the operations stack and write the settings to SSM; nothing to do is success.

    Raises Refused while CloudFormation works on the stack, ReleaseError when it fails.
    """
    known = template.load(app.root / TEMPLATE)
    name = settings_module.OPERATIONS_STACK
    stack = app.aws.stacks.describe(name)
    if stack is not None and not stack.never_created and (stack.busy or not stack.updatable):
        raise Refused(
            f"the stack {name} is {stack.status}: it cannot be updated now",
            hint=f"See why with `aws cloudformation describe-stack-events --stack-name {name}`.",
        )
    sentences = template.descriptions(known)
    found = described(
        app.aws.stacks.create_change_set(
            stack=name,
            template_url=None,
            template_body=(app.root / TEMPLATE).read_text(encoding="utf-8"),
            parameters={},
            creates=stack is None or stack.never_created,
            name=f"manuel-release-bootstrap-{secrets.token_hex(4)}",
            description="bootstrap",
            rollback_alarms=(),
            tags={"manuel:environment": "operations"},
        ),
        sentences,
    )
    results: list[StepResult] = []
    if found.changes:
        show(found)
        if app.options.dry_run or not agree(found):
            discard(app, found)
            return BootstrapOutcome(OutcomeStatus.PLANNED)
        step = ExecuteChangeSet(name, found.id, found.id[-36:], sentences, title="Make ledger and artifact bucket")
        context = Context(app.aws, app.settings, progress, app.now, app.sleep, app.aws.session.region)
        try:
            results.extend(execute((step,), context))
        except StepFailed as failed:
            raise failed.error from failed
    written = _write_settings(app, progress, results)
    status = OutcomeStatus.LIVE if found.changes or written else OutcomeStatus.NOTHING_TO_DO
    return BootstrapOutcome(
        status,
        ledger=_parameter(app, settings_module.LEDGER_PARAMETER),
        artifact_bucket=_parameter(app, settings_module.ARTIFACTS_PARAMETER),
        settings=app.settings.source,
        results=tuple(results),
    )


def _write_settings(app: App, progress: Progress, results: list[StepResult]) -> bool:
    """Copy the settings file to SSM, so that a laptop without the repository has them; False when they are there."""
    path = settings_module.find_file(app.options.config, app.root)
    if path is None or app.options.dry_run:
        return False
    text = path.read_text(encoding="utf-8")
    if app.aws.parameters.get(settings_module.SSM_NAME) == text:
        return False
    title = "Write the settings to SSM"
    progress.start(title)
    began = time.monotonic()
    app.aws.parameters.put(settings_module.SSM_NAME, text)
    results.append(StepResult(title, "done", time.monotonic() - began, settings_module.SSM_NAME))
    progress.end(results[-1])
    return True


def _parameter(app: App, name: str) -> str:
    value = app.aws.parameters.get(name)
    if value is None:
        raise SettingsError(
            f"the operations stack is there and SSM {name} is not", hint="Somebody deleted it; put it back."
        )
    return value
