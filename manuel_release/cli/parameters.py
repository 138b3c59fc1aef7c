"""`parameters`: a parameter file in the form that another tool reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from manuel_release.cli.options import shared_options

if TYPE_CHECKING:
    from manuel_release.app import App
    from manuel_release.artifact.parameter_forms import Form, ParameterFile

SCHEMA_VERSION = 1
FORMS = ("codepipeline", "flat", "cli")


@click.command("parameters")
@shared_options
@click.option("--form", type=click.Choice(FORMS), default="codepipeline", show_default=True, help="The form to print.")
@click.option("--parameters", type=click.Path(path_type=Path), help="Parameter file, instead of the environment's own.")
@click.pass_obj
def command(app: App, form: str, parameters: Path | None) -> None:
    """Print an environment's parameters in another form.

    CodePipeline's template configuration, the flat form of `sam deploy --parameter-overrides file://`, or the list of
    the AWS CLI. The file may have any of them; it is checked against the template first.

    The flat form keeps what the file leaves to SSM (`ssm:/path`). The others get the values, except secrets: those are
    refused, because they would be shown.

    \b
    manuel-release parameters --env production > configuration.json
    manuel-release parameters --env dev --form cli > parameters.json
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from manuel_release.artifact.parameter_forms import Form, written  # noqa: PLC0415 - `--help` stays fast

    environment, wanted = app.environment, Form(form)
    file = _file(app, parameters or app.root / environment.parameters_file, wanted)
    for name, lost in (("Tags", bool(file.tags)), ("StackPolicy", file.stack_policy is not None)):
        if lost and wanted is not Form.CODEPIPELINE:
            app.screen.warn(f"{name} is left out: only CodePipeline's form has a place for it")
    document = written(file, wanted)
    app.screen.answer(
        {"schema_version": SCHEMA_VERSION, "environment": environment.name, "form": form, "document": document}
    )
    app.screen.verbatim(json.dumps(document, indent=2))


def _file(app: App, path: Path, wanted: Form) -> ParameterFile:
    """The file at `path`, checked; in the flat form SSM is not asked. Raises UsageError with every complaint."""
    from manuel_release.artifact import parameter_forms, parameters, references, sam, template  # noqa: PLC0415

    file, known = parameters.read(path), template.load(app.root / sam.TEMPLATE)
    if wanted is parameter_forms.Form.FLAT:
        wrong = [*references.complaints(file.values), *parameters.complaints(known, file.values)]
        parameters.refuse(wrong, path.name)
        return file
    references.pinned(known, file.values, app.aws.parameters.read, path.name)
    return replace(file, values=references.shown(file.values, app.aws.parameters.read))
