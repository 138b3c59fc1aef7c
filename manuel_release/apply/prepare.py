"""Everything before the decision: build, digest, package, change set. Undone by `discard` when people say no."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from manuel_release.apply import preview
from manuel_release.artifact import digest as digests
from manuel_release.artifact import packaging, parameters, references, sam, source, template
from manuel_release.errors import Refused, ReleaseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from manuel_release.app import App
    from manuel_release.model.deploy import DeployRequest, DeployState
    from manuel_release.model.stack import ChangeSet

CHANGE_SET_SECONDS = 600.0


@dataclass(frozen=True)
class Candidate:
    """What is going to be released, before it has a number.

    values: parameters; what SSM has is named here with its version (`ssm:/path:3`) and never told.
    tags: of the stack, from a parameter file that has some.
    packaged: the template that names the uploads, where somebody packaged it already.
    rehearsed: the days on which the commit was rehearsed.
    """

    values: Mapping[str, str]
    descriptions: Mapping[str, str]
    code_digest: str
    commit: str
    build: sam.Build | None = None
    packaged: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    rehearsed: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Over code, template, tags and parameters without ReleaseId."""
        tags = [("tags", json.dumps(self.tags, sort_keys=True).encode())] if self.tags else []
        return digests.digest([("code", self.code_digest.encode()), *tags], self.values)

    @property
    def api_stage(self) -> str:
        """The API stage that the parameters name."""
        return self.values["ApiVersionStage"]


def parameter_file(app: App, request: DeployRequest) -> Path:
    """The parameter file of this deploy: the named one, else the environment's own."""
    return request.parameters or (request.artifact or app.root) / app.environment.parameters_file


def checked_parameters(app: App, request: DeployRequest) -> Mapping[str, str]:
    """The parameters of this deploy, checked against the template; raises UsageError with every complaint."""
    folder = request.artifact or app.root
    path = parameter_file(app, request)
    known = template.load(folder / (packaging.TEMPLATE if request.artifact else sam.TEMPLATE))
    values = references.pinned(known, parameters.load(path), app.aws.parameters.read, path.name)
    if values.get("Environment", app.environment.short) != app.environment.short:
        raise UsageError(
            f"{path.name} is for {values['Environment']!r}, the environment is {app.environment.name}",
            hint="Choose the parameter file of this environment, or another --env.",
        )
    defaults = {k: str(v["Default"]) for k, v in known["Parameters"].items() if "Default" in v}
    return {**defaults, **values}


def candidate(app: App, request: DeployRequest, values: Mapping[str, str]) -> Candidate:
    """Build, or take the build or artifact that is there.

    Raises ReleaseError with SAM's words, and Refused where the environment takes rehearsed commits only.
    """
    found = _candidate(app, request, values)
    if app.environment.rehearsed and not found.rehearsed:
        raise Refused(
            f"{app.environment.name} takes rehearsed commits only, and {found.commit[:12] or 'this one'} has no stamp",
            hint="Commit everything, run `make rehearse`, and `git push origin refs/notes/rehearsed`.",
        )
    return found


def _candidate(app: App, request: DeployRequest, values: Mapping[str, str]) -> Candidate:
    file = parameters.read(parameter_file(app, request))
    if file.stack_policy is not None:
        app.screen.warn("the parameter file's StackPolicy is for CodePipeline; this deploy does not set it")
    if request.artifact is not None:
        return replace(_from_artifact(request.artifact, values), tags=file.tags)
    build = sam.built(app.root) if request.no_build else sam.build(app.root)
    known = template.load(app.root / sam.TEMPLATE)
    commit = source.commit(app.root)
    made = Candidate(values, template.descriptions(known), build.code_digest, commit, build=build, tags=file.tags)
    return replace(made, rehearsed=source.rehearsed(app.root)) if app.environment.rehearsed else made


def _from_artifact(folder: Path, values: Mapping[str, str]) -> Candidate:
    record, packaged = packaging.read(folder), packaging.read_template(folder)
    descriptions = template.descriptions(template.loads(packaged, packaging.TEMPLATE))
    return Candidate(
        values, descriptions, record.code_digest, record.commit, packaged=packaged, rehearsed=record.rehearsed
    )


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


def template_key(environment: str, release: str, code_digest: str) -> str:
    """Where the artifact bucket keeps the template of a release."""
    return f"builds/{code_digest[:16]}/{environment}-{release}.yaml"


def record_key(key: str) -> str:
    """Where it keeps what was deployed with that template: parameters (SSM's by reference), tags and commit."""
    return f"{key.removesuffix('.yaml')}.json"


def _record(what: Candidate) -> bytes:
    return json.dumps({"parameters": dict(what.values), "tags": dict(what.tags), "commit": what.commit}).encode()


def change_set(
    app: App,
    state: DeployState,
    what: Candidate,
    release: str,
    triggers: tuple[str, ...],
    *,
    values: bool = False,
    within: float = CHANGE_SET_SECONDS,
) -> ChangeSet:
    """Upload the template and let AWS compute what would change, with `release` as ReleaseId.

    `values` asks for the values of properties, `within` is how many seconds AWS gets. Whatever goes wrong, nothing is
    left behind.
    """
    key = template_key(app.environment.name, release, what.code_digest)
    text = packaged_template(app, what)
    body = preview.small_enough(text, f"manuel-release deploy --env {app.environment.name}")
    app.aws.storage.upload(app.artifact_bucket, key, body)
    app.aws.storage.upload(app.artifact_bucket, record_key(key), _record(what))
    stack, creates = state.environment.stack, state.stack is None or state.stack.never_created
    try:
        found = app.aws.stacks.create_change_set(
            stack=stack,
            template_url=app.aws.storage.template_url(app.artifact_bucket, key),
            template_body=None,
            parameters={
                **references.revealed(what.values, app.aws.parameters.read),
                digests.RELEASE_PARAMETER: release,
            },
            creates=creates,
            name=f"manuel-release-{release}-{secrets.token_hex(4)}",  # a resumed deploy meets its own earlier one
            description=f"{release} {what.commit[:12]}".strip(),
            rollback_alarms=triggers,
            tags={**what.tags, "manuel:environment": app.environment.name},
            values=values,
            within=within,
        )
    except ReleaseError:
        if creates:
            preview.clear_away(app.aws, stack)
        raise
    try:
        return preview.compared(app.aws, described(found, what.descriptions), text)
    except ReleaseError:
        discard(app, found)
        raise


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
