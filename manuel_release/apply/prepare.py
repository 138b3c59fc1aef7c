"""Everything before the decision: build, digest, package, change set. Undone by `discard` when people say no."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from manuel_release.artifact import digest as digests
from manuel_release.artifact import parameters, sam, source, template
from manuel_release.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from manuel_release.app import App
    from manuel_release.model.deploy import DeployRequest, DeployState
    from manuel_release.model.stack import ChangeSet

ARTIFACT_TEMPLATE = "packaged-template.yaml"
ARTIFACT_RECORD = "artifact.json"


@dataclass(frozen=True)
class Candidate:
    """What is going to be released, before it has a number.

    packaged: the template that names the uploads, where somebody packaged it already.
    """

    values: Mapping[str, str]
    descriptions: Mapping[str, str]
    code_digest: str
    commit: str
    build: sam.Build | None = None
    packaged: str | None = None

    @property
    def digest(self) -> str:
        """Over code, template and parameters without ReleaseId."""
        return digests.digest([("code", self.code_digest.encode())], self.values)

    @property
    def api_stage(self) -> str:
        """The API stage that the parameters name."""
        return self.values["ApiVersionStage"]


def checked_parameters(app: App, request: DeployRequest) -> Mapping[str, str]:
    """The parameters of this deploy, checked against the template; raises UsageError with every complaint."""
    folder = request.artifact or app.root
    path = request.parameters or folder / app.environment.parameters_file
    known = template.load(folder / (ARTIFACT_TEMPLATE if request.artifact else sam.TEMPLATE))
    values = parameters.load(path)
    parameters.check(known, values, path.name)
    if values.get("Environment", app.environment.short) != app.environment.short:
        raise UsageError(
            f"{path.name} is for {values['Environment']!r}, the environment is {app.environment.name}",
            hint="Choose the parameter file of this environment, or another --env.",
        )
    defaults = {k: str(v["Default"]) for k, v in known["Parameters"].items() if "Default" in v}
    return {**defaults, **values}


def candidate(app: App, request: DeployRequest, values: Mapping[str, str]) -> Candidate:
    """Build, or take the build or artifact that is there; raises ReleaseError with SAM's words."""
    if request.artifact is not None:
        return _from_artifact(request.artifact, values)
    build = sam.built(app.root) if request.no_build else sam.build(app.root)
    known = template.load(app.root / sam.TEMPLATE)
    return Candidate(values, template.descriptions(known), build.code_digest, source.commit(app.root), build=build)


def _from_artifact(folder: Path, values: Mapping[str, str]) -> Candidate:
    try:
        record = json.loads((folder / ARTIFACT_RECORD).read_text(encoding="utf-8"))
        packaged = (folder / ARTIFACT_TEMPLATE).read_text(encoding="utf-8")
        code_digest, commit = str(record["code_digest"]), str(record["commit"])
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{folder} is not a packaged artifact: {error}",
            hint=f"It holds {ARTIFACT_TEMPLATE} and {ARTIFACT_RECORD}; `make package` writes both.",
        ) from error
    known = template.loads(packaged, ARTIFACT_TEMPLATE)
    return Candidate(values, template.descriptions(known), code_digest, commit, packaged=packaged)


def packaged_template(app: App, what: Candidate) -> str:
    """The template that names uploaded code; uploads the build when nobody has."""
    if what.packaged is not None:
        return what.packaged
    assert what.build is not None  # noqa: S101 - a candidate is a build or packaged
    return sam.package(
        app.root,
        what.build,
        bucket=app.artifact_bucket,
        prefix=f"builds/{what.code_digest[:16]}",
        region=app.aws.session.region,
        profile=app.options.profile,
    )


def change_set(app: App, state: DeployState, what: Candidate, release: str, triggers: tuple[str, ...]) -> ChangeSet:
    """Upload the template and let AWS compute what would change, with `release` as ReleaseId."""
    key = f"builds/{what.code_digest[:16]}/{app.environment.name}-{release}.yaml"
    app.aws.storage.upload(app.artifact_bucket, key, packaged_template(app, what).encode())
    stack = state.environment.stack
    found = app.aws.stacks.create_change_set(
        stack=stack,
        template_url=app.aws.storage.template_url(app.artifact_bucket, key),
        template_body=None,
        parameters={**what.values, digests.RELEASE_PARAMETER: release},
        creates=state.stack is None or state.stack.never_created,
        name=f"manuel-release-{release}-{secrets.token_hex(4)}",  # a resumed deploy meets its own earlier one
        description=f"{release} {what.commit[:12]}".strip(),
        rollback_alarms=triggers,
        tags={"manuel:environment": app.environment.name},
    )
    return described(found, what.descriptions)


def described(found: ChangeSet, sentences: Mapping[str, str]) -> ChangeSet:
    """The change set with each resource's own sentence."""
    changes = tuple(replace(c, description=sentences.get(c.logical_id, "")) for c in found.changes)
    return replace(found, changes=changes)


def discard(app: App, found: ChangeSet) -> None:
    """Take a change set back that nobody executes, and the empty stack that a first one leaves."""
    if found.changes:
        app.aws.stacks.delete_change_set(found.id)
    if found.creates_stack:
        app.aws.stacks.delete_stack(found.stack)
