"""What the commands of `approval` and `pipeline` share: what waits, what is decided on, who may, where it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from manuel_release.app import App
    from manuel_release.model.approval import Package, PendingApproval
    from manuel_release.model.people import People
    from manuel_release.model.plan import Refusal

ENVIRONMENT = "production"
DEFAULT_PIPELINE = "manuel-pipeline"
"""Its name where nobody has written another one to SSM."""


def pipeline_name(app: App) -> str:
    """The pipeline's name in this account."""
    from manuel_release import settings  # noqa: PLC0415 - `--help` stays fast

    return app.aws.parameters.get(settings.PIPELINE_PARAMETER) or DEFAULT_PIPELINE


def pending(app: App) -> tuple[PendingApproval, ...]:
    """Every approval that waits now."""
    from manuel_release.plan.approval import pending  # noqa: PLC0415 - `--help` stays fast

    return pending(app.aws.pipelines.state(pipeline_name(app)))


def waiting(app: App, gate: str, role: str | None) -> PendingApproval:
    """The approval that waits at a gate, of one role or of any; raises Refused when none does."""
    from manuel_release.errors import Refused  # noqa: PLC0415 - `--help` stays fast

    for one in pending(app):
        if one.gate.name == gate and role in {None, one.role}:
            return one
    whom = f" for {role}" if role else ""
    raise Refused(f"the gate {gate} does not wait{whom}", hint="`manuel-release approval list` shows what waits.")


def stored(app: App, execution: str, gate: str) -> Package:
    """The package as it is stored; raises Refused when there is none, because nobody may decide on nothing."""
    from manuel_release.errors import Refused  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.plan.approval import read  # noqa: PLC0415

    text = app.aws.storage.download(app.artifact_bucket, key(execution, gate))
    try:
        if text is not None:
            return read(text)
        why = "it was never put together"
    except ValueError as error:
        why = str(error)
    raise Refused(
        f"there is no package of the gate {gate} in execution {execution}: {why}",
        hint="Look at the action before the gate with `manuel-release pipeline status`.",
    )


def held(app: App, gate: str, execution: str | None, artifact: Path, percent: float = 0.0) -> tuple[Package, float]:
    """The package of a gate that was passed, and the share (0-100) that was chosen there or else `percent`.

    artifact: folder of the build that is about to be released. Raises Refused when the gate does not hold.
    """
    from manuel_release.artifact import packaging  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.model.approval import GATES  # noqa: PLC0415
    from manuel_release.plan import approval as plan  # noqa: PLC0415

    id_ = needed(execution)
    package = stored(app, id_, gate)
    known = plan.decisions(app.ledger.entries(ENVIRONMENT), gate, id_)
    runs = app.aws.pipelines.runs(pipeline_name(app), id_)
    digest = packaging.read(artifact).code_digest
    refuse(plan.check(GATES[gate], package, runs, known, people(app), code_digest=digest))
    return package, plan.percent(GATES[gate], runs, known, percent)


def key(execution: str, gate: str) -> str:
    """Where a package is stored."""
    return f"approvals/{execution}/{gate}.json"


def people(app: App) -> People:
    """Who has which role, from the account's own copy: the one in a repository may be the change that is judged."""
    from manuel_release import settings  # noqa: PLC0415 - `--help` stays fast

    text = app.aws.parameters.get(settings.SSM_NAME)
    return (settings.parse(text, f"SSM {settings.SSM_NAME}") if text is not None else app.settings).people


def record(app: App, execution: str, gate: str, decision: str, **told: str) -> None:
    """Append a decision to the ledger; `told` has role, choice and digest."""
    from manuel_release.model.entry import Entry, EntryKind  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.record import entry_id  # noqa: PLC0415

    now = app.now()
    details = {
        "gate": gate,
        "execution_id": execution,
        "decision": decision,
        "role": told["role"],
        "choice": told["choice"],
        "package_hash": told["digest"],
        "principal": app.caller.arn,
    }
    app.ledger.append(
        Entry(entry_id(now), ENVIRONMENT, "", now, EntryKind.APPROVAL, "", app.holder, app.options.reason, details)
    )


def put(app: App, one: PendingApproval, *, approved: bool, summary: str) -> None:
    """Tell CodePipeline."""
    app.aws.pipelines.decide(
        pipeline_name(app), one.gate.stage, one.action, approved=approved, summary=summary, token=one.token
    )


def refuse(answer: Refusal | None) -> None:
    """Raise Refused when there is a refusal."""
    from manuel_release.errors import Refused  # noqa: PLC0415 - `--help` stays fast

    if answer is not None:
        raise Refused(answer.reason, hint=answer.hint)


def needed(execution: str | None) -> str:
    """The execution; raises UsageError without one."""
    if not execution:
        raise click.UsageError("this needs --execution or EXECUTION_ID, the id of the pipeline's execution.")
    return execution


def agreed(app: App, question: str) -> bool:
    """Whether it is done: not on a dry run, and not when a person says no."""
    if app.options.dry_run:
        app.screen.say(f"Dry run: {question}")
        return False
    return app.options.yes or app.screen.ask(question)
