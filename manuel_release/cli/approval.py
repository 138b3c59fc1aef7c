"""`approval`: the gates of the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from manuel_release.cli import gates
from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App

_GATES = click.Choice(["production", "canary", "final"])
_ROLES = click.Choice(["devops", "product"])
_gate = click.option("--gate", type=_GATES, default="production", show_default=True, help="Which gate.")
_execution = click.option("--execution", envvar="EXECUTION_ID", metavar="ID", help="Execution of the pipeline.")
_artifact = click.option(
    "--artifact", type=click.Path(path_type=Path), required=True, help="Folder of the packaged artifact."
)


@click.group("approval")
@shared_options
def command() -> None:
    """See what waits for a person, and decide.

    What is approved is a package with a hash; the pipeline's next action checks who approved and that nothing moved.
    """


@command.command("list")
@shared_options
@click.pass_obj
def listed(app: App) -> None:
    """List what waits for a person now."""
    from manuel_release.view import approval as view  # noqa: PLC0415 - `--help` stays fast

    found = gates.pending(app)
    app.screen.answer(view.pending_json(found))
    app.screen.show(view.PendingScreen(found, app.now()))


@command.command("show")
@shared_options
@_gate
@click.pass_obj
def show(app: App, gate: str) -> None:
    """Show the package that a gate waits for, with its hash and what was decided so far."""
    from manuel_release.plan import approval as plan  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import approval as view  # noqa: PLC0415

    one = gates.waiting(app, gate, None)
    package = gates.stored(app, one.execution_id, gate)
    known = plan.decisions(app.ledger.entries(gates.ENVIRONMENT), gate, one.execution_id)
    app.screen.answer(view.package_json(package, plan.package_hash(package), known))
    app.screen.show(view.PackageScreen(package, plan.package_hash(package), known))


@command.command("approve")
@shared_options
@_gate
@click.option("--role", type=_ROLES, default="devops", show_default=True, help="In which role.")
@click.option(
    "--choice",
    type=click.Choice(["proceed", "full", "extend", "rollback"]),
    default="proceed",
    show_default=True,
    help="What the canary's gates decide: the next step, all of the traffic, longer observation, or back.",
)
@click.option("--package", "shown", metavar="HASH", default="", help="Hash of what was looked at; needed with --yes.")
@click.pass_obj
def approve(app: App, gate: str, role: str, choice: str, shown: str) -> None:
    """Approve what a gate waits for.

    `extend` leaves the gate waiting; `rollback` rejects it, and the guard takes the canary back.
    """
    from manuel_release.model.approval import GATES, Choice  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.plan import approval as plan  # noqa: PLC0415
    from manuel_release.view import approval as view  # noqa: PLC0415

    chosen = Choice(choice)
    if chosen is Choice.ROLLBACK:
        _reject(app, gate, role)
        return
    one = gates.waiting(app, gate, role)
    package = gates.stored(app, one.execution_id, gate)
    digest = plan.package_hash(package)
    if not shown:
        if app.options.yes:
            raise click.UsageError("--yes needs --package HASH: the hash of what was looked at.")
        app.screen.aside(view.PackageScreen(package, digest, ()))
    gates.refuse(
        plan.decide(app.caller.arn, role, gates.people(app), package, GATES[gate], shown=shown or digest, choice=chosen)
    )
    decision = plan.EXTENDED if chosen is Choice.EXTEND else plan.APPROVED
    if not gates.agreed(app, f"{choice.capitalize()} at the gate {gate}, as {role}?"):
        app.screen.answer(view.decided_json(one, "planned", choice, digest))
        return
    gates.record(app, one.execution_id, gate, decision, role=role, choice=choice, digest=digest)
    if decision == plan.APPROVED:
        gates.put(app, one, approved=True, summary=f"{choice} {digest[:16]} {app.options.reason}".strip())
    app.screen.answer(view.decided_json(one, decision, choice, digest))
    app.screen.say(
        f"The gate {gate} still waits; `manuel-release canary extend` observes longer."
        if decision == plan.EXTENDED
        else f"Approved {gate} as {role}."
    )


@command.command("reject")
@shared_options
@_gate
@click.option("--role", type=_ROLES, default="devops", show_default=True, help="In which role.")
@click.pass_obj
def reject(app: App, gate: str, role: str) -> None:
    """Reject what a gate waits for; needs --reason. A canary is then taken back by the guard."""
    _reject(app, gate, role)


def _reject(app: App, gate: str, role: str) -> None:
    from manuel_release.plan import approval as plan  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import approval as view  # noqa: PLC0415

    if not app.options.reason.strip():
        raise click.UsageError("a rejection needs --reason; the author reads it.")
    one = gates.waiting(app, gate, role)
    if not gates.agreed(app, f"Reject {one.gate.stage}/{one.action}?"):
        app.screen.answer(view.decided_json(one, "planned", "rollback", ""))
        return
    gates.record(app, one.execution_id, gate, plan.REJECTED, role=role, choice="rollback", digest="")
    gates.put(app, one, approved=False, summary=app.options.reason)
    app.screen.answer(view.decided_json(one, plan.REJECTED, "rollback", ""))
    app.screen.say(f"Rejected {gate} as {role}.")


@command.command("package")
@shared_options
@_gate
@_execution
@_artifact
@click.option("--results", multiple=True, metavar="[NAME=]FOLDER", help="Folder with JUnit reports.")
@click.option("--part", multiple=True, metavar="NAME=FILE", help="A JSON document that people should see.")
@click.option("--variables", type=click.Path(path_type=Path), help="Write PACKAGE_HASH and PACKAGE_SUMMARY there.")
@click.pass_obj
def package(app: App, /, gate: str, execution: str | None, artifact: Path, **given: Any) -> None:
    """Put together what people decide on; the pipeline runs it before each gate."""
    from manuel_release.artifact import packaging  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.model.approval import Package  # noqa: PLC0415
    from manuel_release.pipeline import evidence  # noqa: PLC0415
    from manuel_release.plan import approval as plan  # noqa: PLC0415
    from manuel_release.view import approval as view  # noqa: PLC0415

    record, counted = packaging.read(artifact), evidence.tests([evidence.labelled(one) for one in given["results"]])
    parts = dict(evidence.part(one, Path.cwd()) for one in given["part"])
    made = Package(
        gate=gate,
        execution_id=gates.needed(execution),
        commit=record.commit,
        author=record.author,
        code_digest=record.code_digest,
        summary=evidence.summary(counted, parts),
        parts={**parts, "tests": counted},
    )
    digest = plan.package_hash(made)
    app.aws.storage.upload(app.artifact_bucket, gates.key(made.execution_id, gate), plan.canonical(made))
    gates.record(app, made.execution_id, gate, plan.REQUESTED, role="", choice="", digest=digest)
    if given["variables"] is not None:
        given["variables"].parent.mkdir(parents=True, exist_ok=True)
        summary = made.summary.replace("'", " ")
        given["variables"].write_text(f"export PACKAGE_HASH={digest}\nexport PACKAGE_SUMMARY='{summary}'\n", "utf-8")
    app.screen.answer(view.package_json(made, digest, ()))
    app.screen.show(view.PackageScreen(made, digest, ()))


@command.command("check")
@shared_options
@_gate
@_execution
@_artifact
@click.option("--percent", type=float, default=0.0, help="Print the share that the gate chose instead of this one.")
@click.pass_obj
def check(app: App, gate: str, execution: str | None, artifact: Path, percent: float) -> None:
    """Check who passed a gate, on what, and that nothing has moved; the pipeline runs it after each gate.

    Approvals given in the AWS console count too. Ends with 3 when the gate does not hold.
    """
    from manuel_release.plan import approval as plan  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.view import approval as view  # noqa: PLC0415

    package, share = gates.held(app, gate, execution, artifact, percent)
    digest = plan.package_hash(package)
    app.screen.answer(view.checked_json(gate, package.execution_id, digest, share))
    app.screen.say(f"The gate {gate} holds: package {digest[:12]}.")
    if percent:
        app.screen.verbatim(f"{share:g}")
