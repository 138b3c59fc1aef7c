"""`rollback --infrastructure`: the stack as it was with an earlier release, once the traffic is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from manuel_release.apply import prepare
from manuel_release.apply.context import Context, Done
from manuel_release.apply.stack import execute_change_set
from manuel_release.artifact import template
from manuel_release.errors import ReleaseError
from manuel_release.model.deploy import DeployState
from manuel_release.model.plan import ExecuteChangeSet
from manuel_release.model.preview import JudgedChange
from manuel_release.plan import changes

if TYPE_CHECKING:
    from manuel_release.app import App
    from manuel_release.model.environment import Environment
    from manuel_release.model.stack import ChangeSet

Agree = Callable[[str, Sequence[JudgedChange]], bool]
"""Asked with the release's name and what would change; whether to do it. May raise UsageError: nobody is there."""

KEEPS = frozenset({"data", "sign-in"})
"""What holds things that nobody can make again: never deleted nor replaced here, whatever anybody says."""


def restore_stack(  # noqa: PLR0917 - what, where and who is asked
    app: App, environment: Environment, context: Context, release: str, code_digest: str, agree: Agree
) -> Done:
    """Compute, judge, ask, and execute the change set that leads back to the template and parameters of a release.

    Raises ReleaseError when they are not kept any more, something would be lost, nobody agreed, or AWS failed.
    """
    stack = app.aws.stacks.describe(environment.stack)
    if stack is None or not stack.updatable:
        status = "does not exist" if stack is None else f"is {stack.status}"
        raise ReleaseError(
            f"the stack is not restored: {environment.stack} {status}",
            hint=f"When it has settled: `manuel-release rollback --env {environment.name} --to {release} "
            "--infrastructure --yes`.",
        )
    what = _kept(app, environment, release, code_digest)
    state = DeployState(environment, what.api_stage, app.caller, stack)
    found = prepare.change_set(app, state, what, release, ())
    if not found.changes:
        return Done("it is the same", skipped=True)
    judged = changes.judge(found)
    done = False
    try:
        _refuse_losses(judged, release)
        if not agree(release, judged):
            raise ReleaseError("the stack is not restored: nobody agreed")
        done = True
    finally:
        if not done:
            prepare.discard(app, found)
    return _execute(found, environment, context)


def _execute(found: ChangeSet, environment: Environment, context: Context) -> Done:
    step = ExecuteChangeSet(environment.stack, found.id, found.id.rsplit("/", 1)[-1])
    settled = execute_change_set(step, context)
    return Done(f"{len(found.changes)} changes, {settled.detail}")


def _kept(app: App, environment: Environment, release: str, code_digest: str) -> prepare.Candidate:
    """Template and parameters as they were deployed."""
    if not code_digest:
        raise ReleaseError(f"the stack is not restored: the ledger does not know the code of {release}")
    bucket, key = app.artifact_bucket, prepare.template_key(environment.name, release, code_digest)
    text = app.aws.storage.download(bucket, key)
    record = app.aws.storage.download(bucket, prepare.record_key(key))
    if text is None or record is None:
        raise ReleaseError(
            f"the stack is not restored: s3://{bucket} does not keep the template and parameters of {release} any more",
            hint=f"Check that release's commit out and deploy it: `manuel-release history --env {environment.name}` "
            "tells the commit.",
        )
    kept = json.loads(record)
    packaged = text.decode()
    sentences = template.descriptions(template.loads(packaged, f"the template of {release}"))
    return prepare.Candidate(
        kept["parameters"], sentences, code_digest, kept["commit"], packaged=packaged, tags=kept["tags"]
    )


def _refuse_losses(judged: Sequence[JudgedChange], release: str) -> None:
    lost = [one for one in judged if one.forbidden or (one.objection and one.subject in KEEPS and not one.change.kept)]
    if lost:
        names = ", ".join(
            f"{one.change.logical_id} ({one.change.type}) {one.forbidden or one.objection}" for one in lost
        )
        raise ReleaseError(
            f"the stack is not restored: going back to {release} would lose something: {names}",
            hint="Take only the rest back: change template.yaml, and deploy that as a new release.",
        )
