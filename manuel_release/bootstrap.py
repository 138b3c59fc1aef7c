"""`bootstrap`: what an account needs before its first release: ledger, artifact bucket, guard, settings, pipeline."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import TYPE_CHECKING, ClassVar

from manuel_release import settings as settings_module
from manuel_release.apply.context import Context
from manuel_release.apply.executor import StepFailed, execute
from manuel_release.apply.prepare import described, discard
from manuel_release.artifact import operations, template
from manuel_release.errors import Refused, SettingsError
from manuel_release.model.bootstrap import BootstrapOutcome
from manuel_release.model.outcome import OutcomeStatus
from manuel_release.model.plan import ExecuteChangeSet
from manuel_release.model.progress import StepResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from manuel_release.app import App
    from manuel_release.artifact.operations import Package
    from manuel_release.model.progress import Progress
    from manuel_release.model.stack import ChangeSet, Stack

OPERATIONS, PIPELINE = "operations.yaml", "pipeline.yaml"
PIPELINE_STACK = "manuel-pipeline"
FUNCTIONS_KEY = "FunctionsKey"
"""The template's parameter that names the package of the functions; empty for none."""


def bootstrap(
    app: App,
    progress: Progress,
    show: Callable[[ChangeSet], None],
    agree: Callable[[ChangeSet], bool],
    pipeline: Mapping[str, str] | None = None,
) -> BootstrapOutcome:
    """Make or update the operations stack with its functions, write the settings to SSM, then the pipeline's stack.

    The package of the functions lies in a bucket that the stack makes itself; so the first time the stack is made
    without them and changed once more. `show` and `agree` are then called twice. Nothing to do is success.
    `pipeline` has values for parameters of pipeline.yaml; without any, a pipeline that is there is updated and none is
    made.

    Raises Refused while CloudFormation works on the stack, ReleaseError when it fails.
    """
    work = _Operations(app, progress, show, agree)
    package = operations.package(app.root)
    changed, agreed = work.first()
    if agreed:
        more, agreed = work.change({FUNCTIONS_KEY: package.key}, "Make the guard", lambda: work.upload(package))
        changed = changed or more
    if not agreed and not changed:
        return BootstrapOutcome(OutcomeStatus.PLANNED)
    written = _write_settings(app, progress, work.results)
    stack = app.aws.stacks.describe(work.name)
    made, wanted = _bring_pipeline(work, pipeline or {}) if agreed else (False, False)
    otherwise = OutcomeStatus.NOTHING_TO_DO if wanted else OutcomeStatus.PLANNED
    return BootstrapOutcome(
        OutcomeStatus.LIVE if changed or written or made else otherwise,
        ledger=_parameter(app, settings_module.LEDGER_PARAMETER),
        artifact_bucket=_parameter(app, settings_module.ARTIFACTS_PARAMETER),
        guard=stack.parameters.get(FUNCTIONS_KEY, "") if stack is not None else "",
        settings=app.settings.source,
        pipeline=app.aws.parameters.get(settings_module.PIPELINE_PARAMETER) or "",
        results=tuple(work.results),
    )


class _Work:
    """The changes of one stack."""

    name: ClassVar[str]
    file: ClassVar[str]

    def __init__(
        self,
        app: App,
        progress: Progress,
        show: Callable[[ChangeSet], None],
        agree: Callable[[ChangeSet], bool],
        results: list[StepResult] | None = None,
    ) -> None:
        self.app, self.progress, self.show, self.agree = app, progress, show, agree
        self.results = [] if results is None else results
        known = template.load(app.root / self.file)
        self._sentences = template.descriptions(known)
        self._parameters = frozenset(known.get("Parameters") or {})

    def change(self, values: Mapping[str, str], title: str, before: Callable[[], None]) -> tuple[bool, bool]:
        """Change the stack, `before` first; whether anything was changed, and whether somebody agreed.

        Its other parameters stay as they are.
        """
        app, stack = self.app, self._stack()
        url, body = self.template()
        creates = stack is None or stack.never_created
        kept = {} if stack is None or creates else self.kept(stack)
        found = described(
            app.aws.stacks.create_change_set(
                stack=self.name,
                template_url=url,
                template_body=body,
                parameters={k: v for k, v in (dict(kept) | dict(values)).items() if k in self._parameters},
                creates=creates,
                name=f"manuel-release-bootstrap-{secrets.token_hex(4)}",
                description="bootstrap",
                rollback_alarms=(),
                tags={"manuel:environment": "operations"},
            ),
            self._sentences,
        )
        if not found.changes:
            return False, True
        self.show(found)
        if app.options.dry_run or not self.agree(found):
            discard(app, found)
            return False, False
        before()
        step = ExecuteChangeSet(self.name, found.id, found.id[-36:], self._sentences, title=title)
        context = Context(app.aws, app.settings, self.progress, app.now, app.sleep, app.aws.session.region)
        try:
            self.results.extend(execute((step,), context))
        except StepFailed as failed:
            raise failed.error from failed
        return True, True

    def kept(self, stack: Stack) -> Mapping[str, str | None]:
        """The parameters that stay as they are."""
        return {**stack.parameters}

    def template(self) -> tuple[str | None, str | None]:
        """The template's address, or the template itself."""
        return None, (self.app.root / self.file).read_text(encoding="utf-8")

    def _stack(self) -> Stack | None:
        """The stack; raises Refused while it cannot be changed."""
        stack = self.app.aws.stacks.describe(self.name)
        if stack is not None and not stack.never_created and (stack.busy or not stack.updatable):
            raise Refused(
                f"the stack {self.name} is {stack.status}: it cannot be updated now",
                hint=f"See why with `aws cloudformation describe-stack-events --stack-name {self.name}`.",
            )
        return stack


class _Operations(_Work):
    """The stack of ledger, bucket and guard."""

    name, file = settings_module.OPERATIONS_STACK, OPERATIONS

    def first(self) -> tuple[bool, bool]:
        """Make a stack that does not exist, without functions; whether it was made, and whether somebody agreed."""
        stack = self._stack()
        if stack is not None and not stack.never_created:
            return False, True
        return self.change({FUNCTIONS_KEY: ""}, "Make ledger and artifact bucket", lambda: None)

    def upload(self, package: Package) -> None:
        """Put the package where the stack looks for it."""
        bucket = _parameter(self.app, settings_module.ARTIFACTS_PARAMETER)
        if not self.app.aws.storage.exists(bucket, package.key):
            self.app.aws.storage.upload(bucket, package.key, package.body)


class _Pipeline(_Work):
    """The stack of the pipeline. Its template is too long to be handed over, so it lies in the artifact bucket."""

    name, file = PIPELINE_STACK, PIPELINE

    def kept(self, stack: Stack) -> Mapping[str, str | None]:
        """What the stack has is not repeated: some are names of SSM parameters, and AWS tells what those contain."""
        return dict.fromkeys(stack.parameters)

    def template(self) -> tuple[str | None, str | None]:
        """Where CloudFormation reads the template."""
        body = (self.app.root / self.file).read_bytes()
        bucket = _parameter(self.app, settings_module.ARTIFACTS_PARAMETER)
        key = f"operations/{hashlib.sha256(body).hexdigest()}.yaml"
        self.app.aws.storage.upload(bucket, key, body)
        return self.app.aws.storage.template_url(bucket, key), None


def _bring_pipeline(work: _Work, values: Mapping[str, str]) -> tuple[bool, bool]:
    """Make the pipeline's stack where there are values, update it where it is.

    Returns whether anything was changed, and whether somebody agreed; there may be nothing to agree to.
    """
    stack = work.app.aws.stacks.describe(PIPELINE_STACK)
    there = stack is not None and not stack.never_created
    if not there and not values:
        return False, True
    delivery = _Pipeline(work.app, work.progress, work.show, work.agree, work.results)
    return delivery.change(values, "Update the pipeline" if there else "Make the pipeline", lambda: None)


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
            f"the operations stack is there and SSM {name} is not: somebody deleted it",
            hint=f"`aws ssm put-parameter --name {name} --type String --value NAME` puts it back, with the name that "
            f"`aws cloudformation describe-stack-resources --stack-name {settings_module.OPERATIONS_STACK}` lists; "
            "then run `manuel-release bootstrap` again.",
        )
    return value
