"""`package`: the build as later builds deploy it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App

SCHEMA_VERSION = 1


@click.command("package")
@shared_options
@click.option("--no-build", is_flag=True, help="Take the last build as it is.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to; .aws-sam/artifact by default.")
@click.option("--bucket", envvar="ARTIFACTS_BUCKET", metavar="NAME", help="Bucket of the code; the account's own.")
@click.pass_obj
def command(app: App, /, no_build: bool, folder: Path | None, bucket: str | None) -> None:
    """Build, upload the code, and write an artifact that can be deployed without the source.

    `deploy --artifact` takes it, in every environment: the same bytes that were tested. The artifact names the commit
    and its author, because nobody may approve their own change.

    \b
    manuel-release package
    manuel-release deploy --env staging --artifact .aws-sam/artifact
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from manuel_release.artifact import packaging, sam, source  # noqa: PLC0415 - `--help` stays fast

    build = sam.built(app.root) if no_build else sam.build(app.root)
    commit, author, days = source.commit(app.root), source.author(app.root), source.rehearsed(app.root)
    record = packaging.Record(commit, author, build.code_digest, days)
    where = folder or app.root / packaging.FOLDER
    name = bucket or app.artifact_bucket
    text = sam.package(
        app.root,
        build,
        bucket=name,
        prefix=f"builds/{build.code_digest[:16]}",
        region=app.aws.session.region,
        profile=app.options.profile,
    )
    files = [environment.parameters_file for environment in app.settings.environments]
    packaging.write(where, record, text, app.root, files)
    if not record.author:
        app.screen.warn("the commit's author is not known: without history nobody can approve this build")
    app.screen.answer({"schema_version": SCHEMA_VERSION, "folder": str(where), "bucket": name, **asdict(record)})
    short = commit[:12] or "an unknown commit"
    app.screen.say(f"Packaged {short} (code {record.code_digest[:12]}) into {where}.")
