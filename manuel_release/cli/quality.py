"""`quality`: what scanners found, as reports that CodeBuild can show, and whether a build is good enough."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manuel_release.app import App
    from manuel_release.gates.scans import Case

SCHEMA_VERSION = 1
_found = click.argument("found", type=click.Path(path_type=Path))
_report = click.option("--report", type=click.Path(path_type=Path), required=True, help="JUnit report to write.")


@click.group("quality")
@shared_options
def command() -> None:
    """Decide whether a build is good enough, from its reports.

    Some of them are made here: what bandit and pip-audit found, in the form that CodeBuild shows.
    """


@command.command("security")
@shared_options
@_found
@_report
@click.pass_obj
def security(app: App, found: Path, report: Path) -> None:
    """Read bandit's JSON from FOUND; ends with 3 for a finding of high severity."""
    from manuel_release.errors import Refused  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.gates import scans  # noqa: PLC0415

    try:
        cases = scans.security(_text(found))
    except scans.UnreadableScanError as error:
        raise Refused(f"the code was not looked at: {error}", hint="Run `make security-scan` again.") from error
    _write(app, "security-scan", cases, report)
    wrong = list(scans.told(cases))
    for line in wrong:
        app.screen.warn(line)
    if wrong:
        app.screen.say("Mend it; a finding that is none gets `# nosec` with the reason beside it.")
        raise click.exceptions.Exit(Refused.exit_code)
    less = sum(one.outcome == "skipped" for one in cases)
    app.screen.say(f"Nothing of high severity, {less} of lower severity; {report} lists them.")


@command.command("dependencies")
@shared_options
@_found
@_report
@click.option("--complaints", type=click.Path(path_type=Path), help="What pip-audit said on stderr.")
@click.option("--topic", envvar="NOTIFICATION_TOPIC", metavar="ARN", help="SNS topic that is told of findings.")
@click.pass_obj
def dependencies(app: App, found: Path, report: Path, complaints: Path | None, topic: str | None) -> None:
    """Read pip-audit's JSON from FOUND, and tell people of known vulnerabilities.

    Findings do not stop a build: most have no better version yet. Neither does a database that could not be asked, and
    the report says so.
    """
    from manuel_release.gates import scans  # noqa: PLC0415 - `--help` stays fast

    try:
        cases = scans.dependencies(_text(found))
    except scans.UnreadableScanError as error:
        said = _text(complaints).strip().splitlines() if complaints is not None else []
        cases = scans.unasked(said[-1] if said else str(error))
        app.screen.warn(f"nobody knows whether dependencies have known vulnerabilities: {cases[0].message}")
    _write(app, "dependency-audit", cases, report)
    wrong = list(scans.told(cases))
    for line in wrong:
        app.screen.warn(line)
    if wrong and topic:
        _tell(app, topic, wrong)
    if not wrong and any(one.outcome == "passed" for one in cases):
        app.screen.say(f"No known vulnerability in {sum(one.outcome == 'passed' for one in cases)} dependencies.")


def _tell(app: App, topic: str, wrong: Sequence[str]) -> None:
    from manuel_release import notify  # noqa: PLC0415 - `--help` stays fast
    from manuel_release.artifact import source  # noqa: PLC0415
    from manuel_release.errors import ReleaseError  # noqa: PLC0415
    from manuel_release.model.notice import Notice, NoticeKind  # noqa: PLC0415

    commit = source.commit(app.root)[:12] or "a build"
    text = f"{len(wrong)} dependencies of {commit} have known vulnerabilities."
    details = {f"finding {number}": line for number, line in enumerate(wrong, 1)}
    notice = Notice(NoticeKind.INVESTIGATE, "build", commit, app.now(), text, details)
    try:
        app.aws.topics.publish(
            topic, notify.subject(notice), notify.chat(notice), notify.plain(notice), notify.attributes(notice)
        )
    except ReleaseError as error:
        app.screen.warn(f"nobody was told: {error.message}")


def _write(app: App, name: str, cases: Sequence[Case], report: Path) -> None:
    from manuel_release.gates import scans  # noqa: PLC0415 - `--help` stays fast

    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_bytes(scans.junit(name, cases))
    told = [asdict(one) for one in cases]
    app.screen.answer({"schema_version": SCHEMA_VERSION, "report": str(report), "cases": told})


def _text(path: Path) -> str:
    """What is in the file; empty when it is not there: a scanner that failed early writes none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@command.command("check")
@shared_options
@click.option(
    "--stage",
    type=click.Choice(["build", "production", "canary"]),
    default="production",
    show_default=True,
    help="How far the build has come.",
)
@click.option(
    "--reports",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Folder of the build's reports.",
)
@click.option("--results", multiple=True, metavar="[NAME=]FOLDER", help="Folder with results of suites.")
@click.option("--to", type=click.Path(path_type=Path), help="File for the decision as JSON.")
@click.pass_obj
def check(app: App, /, stage: str, reports: Path, results: tuple[str, ...], to: Path | None) -> None:
    """Decide whether a build is good enough, and say why; ends with 3 when a gate is red.

    What was not measured is red too, and its line says which target measures it.
    """
    import json  # noqa: PLC0415 - `--help` stays fast

    from manuel_release.errors import Refused  # noqa: PLC0415
    from manuel_release.gates import evidence, quality  # noqa: PLC0415
    from manuel_release.pipeline.evidence import labelled  # noqa: PLC0415
    from manuel_release.view.quality import QualityScreen, document  # noqa: PLC0415

    folders = [labelled(one)[1] for one in results or ("tests/integration/results",)]
    gates = quality.decide(evidence.read(reports, folders), quality.Stage(stage))
    said = quality.summary(gates)
    answer = document(gates, stage, said)
    if to is not None:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(json.dumps(answer, indent=2) + "\n", encoding="utf-8")
    app.screen.answer(answer)
    app.screen.show(QualityScreen(gates, said))
    if not answer["good_enough"]:
        raise click.exceptions.Exit(Refused.exit_code)
