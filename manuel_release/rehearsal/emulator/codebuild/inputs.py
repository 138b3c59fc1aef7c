"""What a build starts with: its sources in a folder, and its environment.

The environment is made from nothing: where programs are (PATH), the endpoints of the embedded AWS, the credentials of
the project's service role, CodeBuild's own variables, and those of buildspec, project and request, the later ones
winning. MANUEL_BUILD_ENVIRONMENT (a JSON object) wins over all: values that only this rehearsal uses.
https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ministack.services import s3, secretsmanager, ssm

from manuel_release.rehearsal.emulator import sandbox, scope
from manuel_release.rehearsal.emulator.acting_role import AccessDenied
from manuel_release.rehearsal.emulator.codebuild import buildspec, files
from manuel_release.rehearsal.emulator.codebuild.state import Place
from manuel_release.rehearsal.emulator.codepipeline import sources
from manuel_release.rehearsal.process import client_environment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from manuel_release.rehearsal.emulator.codebuild.buildspec import Buildspec
    from manuel_release.rehearsal.emulator.codebuild.state import Build
    from manuel_release.rehearsal.emulator.codepipeline.sources import SourceRevision

REQUIRES = {
    "ministack.services.s3._buckets": None,
    "ministack.services.s3._get_object_data": ("bucket_name", "key", "version_id"),
    "ministack.services.secretsmanager._get_secret_value": ("data",),
    "ministack.services.ssm._get_parameters": ("data",),
}
DEFAULT_BUILDSPEC = ("buildspec.yml", "buildspec.yaml")
VARIABLES_ERROR = "Decrypted Variables Error"


class BadInput(Exception):  # noqa: N818 - an outcome
    """The build cannot start; `code` is the status code of the phase DOWNLOAD_SOURCE."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def fetch(build: Build, folder: Path) -> tuple[Path, dict[str, Path]]:
    """Unpack the sources: the primary one's folder, and the others' by name; raises BadInput."""
    source = build.project["source"]
    primary = folder / "src"
    primary.mkdir(parents=True)
    others: dict[str, Path] = {}
    if build.pipeline is not None:
        (first, place), *more = build.pipeline.inputs.items()
        del first
        _unpack(build, place, primary)
        for name, other in more:
            others[name] = folder / "others" / name
            others[name].mkdir(parents=True)
            _unpack(build, other, others[name])
    elif source["type"] == "S3":
        bucket, _slash, key = str(source["location"]).removeprefix("arn:aws:s3:::").partition("/")
        _unpack(build, Place(bucket, key), primary)
    return primary, others


def _unpack(build: Build, place: Place, folder: Path) -> None:
    where = f"for primary source and source version {place.arn}"
    try:
        build.actor.require("s3:GetObject", place.arn)
    except AccessDenied as denied:
        raise BadInput("CLIENT_ERROR", f"AccessDenied: {denied} {where}") from denied
    if s3._buckets.get(place.bucket) is None:
        raise BadInput("CLIENT_ERROR", f"NoSuchBucket: The specified bucket does not exist {where}")
    body = s3._get_object_data(place.bucket, place.key)
    if body is None:
        raise BadInput("CLIENT_ERROR", f"NoSuchKey: The specified key does not exist. {where}")
    clone = sources.referred(body)
    if clone is not None:
        body = _cloned(build, *clone)
    try:
        files.unpack(body, folder)
    except ValueError as error:
        raise BadInput("CLIENT_ERROR", f"{error} {where}") from error


def _cloned(build: Build, revision: SourceRevision, connection: str) -> bytes:
    """The clone that a reference stands for, when the service role may make it."""
    account_id, region = scope.current()
    try:
        if connection:
            build.actor.require("codeconnections:UseConnection", connection)
            build.actor.require("codestar-connections:UseConnection", connection)
        else:
            name = revision.repository.partition("/")[2]
            build.actor.require("codecommit:GitPull", f"arn:aws:codecommit:{region}:{account_id}:{name}")
    except AccessDenied as denied:
        raise BadInput("CLIENT_ERROR", f"AccessDenied: {denied} for primary source {revision.repository}") from denied
    return revision.archive


def specification(build: Build, primary: Path) -> Buildspec:
    """The build's buildspec: inline, or a file of the primary source; raises BadInput."""
    given = str(build.project["source"].get("buildspec") or "")
    if "\n" in given or given.lstrip().startswith("{"):
        text = given
    else:
        path = next(
            (primary / name for name in ([given] if given else DEFAULT_BUILDSPEC) if (primary / name).is_file()), None
        )
        if path is None:
            raise BadInput("YAML_FILE_ERROR", f"{given or DEFAULT_BUILDSPEC[0]}: no such file or directory")
        text = path.read_text(encoding="utf-8")
    try:
        return buildspec.parse(text)
    except buildspec.BuildspecError as error:
        raise BadInput("YAML_FILE_ERROR", str(error)) from error


def environment(
    build: Build, spec: Buildspec, homes: tuple[Path, Path], primary: Path, others: dict[str, Path]
) -> dict[str, str]:
    """The variables that the build's shell starts with; `homes` are HOME and TMPDIR. Raises BadInput."""
    _account_id, region = scope.current()
    endpoint = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
    seconds = 60.0 * build.project["timeoutInMinutes"]
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(homes[0]),
        "TMPDIR": str(homes[1]),
        **client_environment(endpoint, region),
        **{key: value for key, value in os.environ.items() if key.startswith(sandbox.PASSED_ON)},
        **build.actor.credentials(seconds),
        **_own(build, primary, others),
        **spec.variables,
        **_resolved(build, "PARAMETER_STORE", spec.parameters),
        **_resolved(build, "SECRETS_MANAGER", spec.secrets),
        **_given(build),
        **json.loads(os.environ.get("MANUEL_BUILD_ENVIRONMENT") or "{}"),
    }


def _own(build: Build, primary: Path, others: dict[str, Path]) -> dict[str, str]:
    group, stream = build.log_place()
    version = next(iter(build.pipeline.inputs.values())).arn if build.pipeline else build.source_version
    return {
        "CODEBUILD_CI": "true",
        "CODEBUILD_BUILD_ARN": build.arn,
        "CODEBUILD_BUILD_ID": build.id,
        "CODEBUILD_BUILD_IMAGE": str(build.project["environment"].get("image", "")),
        "CODEBUILD_BUILD_NUMBER": str(build.number),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_INITIATOR": build.initiator,
        "CODEBUILD_KMS_KEY_ID": str(build.project["encryptionKey"]),
        "CODEBUILD_LOG_PATH": stream if group else "",
        "CODEBUILD_SOURCE_REPO_URL": str(build.project["source"].get("location", "")),
        "CODEBUILD_SOURCE_VERSION": version,
        "CODEBUILD_SRC_DIR": str(primary),
        **{f"CODEBUILD_SRC_DIR_{name}": str(path) for name, path in others.items()},
        "CODEBUILD_START_TIME": str(int(build.started * 1000)),
        **(build.pipeline.variables if build.pipeline else {}),
    }


def _given(build: Build) -> dict[str, str]:
    variables: list[dict[str, Any]] = build.project["environment"].get("environmentVariables") or []
    found: dict[str, str] = {}
    for one in variables:
        kind = one.get("type") or "PLAINTEXT"
        if kind == "PLAINTEXT":
            found[one["name"]] = one["value"]
        else:
            found |= _resolved(build, kind, {one["name"]: one["value"]})
    return found


def _resolved(build: Build, kind: str, references: Any) -> dict[str, str]:
    """Values of parameters or secrets, read with the service role."""
    read = _parameter if kind == "PARAMETER_STORE" else _secret
    try:
        return {name: read(build, str(reference)) for name, reference in references.items()}
    except AccessDenied as denied:
        raise BadInput(VARIABLES_ERROR, f"AccessDeniedException: {denied}") from denied


def _body(answer: tuple[int, Any, bytes]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(answer[2])
    return document


def _parameter(build: Build, name: str) -> str:
    account_id, region = scope.current()
    build.actor.require("ssm:GetParameters", f"arn:aws:ssm:{region}:{account_id}:parameter/{name.lstrip('/')}")
    found = _body(ssm._get_parameters({"Names": [name], "WithDecryption": True})).get("Parameters") or []
    if not found:
        raise BadInput(VARIABLES_ERROR, f"parameter does not exist: {name}")
    return str(found[0]["Value"])


def _secret(build: Build, reference: str) -> str:
    """A secret as `id:json-key:version-stage:version-id`, all but the id optional; the id may be an ARN."""
    account_id, region = scope.current()
    parts = reference.split(":")
    length = 7 if reference.startswith("arn:") else 1
    secret, (key, stage, version) = ":".join(parts[:length]), (*_padded(parts[length:]),)
    arn = secret if length > 1 else f"arn:aws:secretsmanager:{region}:{account_id}:secret:{secret}-??????"
    build.actor.require("secretsmanager:GetSecretValue", arn)
    wanted = {"SecretId": secret}
    wanted |= {"VersionStage": stage} if stage else {}
    wanted |= {"VersionId": version} if version else {}
    found = _body(secretsmanager._get_secret_value(wanted))
    if "SecretString" not in found:
        raise BadInput(VARIABLES_ERROR, f"{found.get('message', 'the secret has no text')} ({secret})")
    text = str(found["SecretString"])
    if not key:
        return text
    try:
        return str(json.loads(text)[key])
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(VARIABLES_ERROR, f"the secret {secret} has no key {key}") from error


def _padded(parts: Iterable[str]) -> tuple[str, str, str]:
    first, second, third = (*parts, "", "", "")[:3]
    return first, second, third
