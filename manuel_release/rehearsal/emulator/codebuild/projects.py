"""Projects: what a build needs, kept as it was given.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator import acting_role, scope
from manuel_release.rehearsal.emulator.codebuild import state
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.targets import Body, Caller

PRINCIPAL = "codebuild.amazonaws.com"
DEFAULT_TIMEOUT_MINUTES = 60
DEFAULT_QUEUED_MINUTES = 480
_SETTINGS = (
    "description", "source", "secondarySources", "sourceVersion", "secondarySourceVersions", "artifacts",
    "secondaryArtifacts", "cache", "environment", "serviceRole", "timeoutInMinutes", "queuedTimeoutInMinutes",
    "encryptionKey", "tags", "vpcConfig", "badgeEnabled", "logsConfig", "fileSystemLocations", "buildBatchConfig",
    "concurrentBuildLimit", "autoRetryLimit",
)  # fmt: skip


def create(body: Body, _caller: Caller) -> Body:
    """CreateProject."""
    name = str(body["name"])
    _check(name, body)
    with state.LOCK:
        if name in state.projects:
            raise ServiceError(
                "ResourceAlreadyExistsException", f"Project already exists: {state.arn('project', name)}"
            )
        now = time.time()
        account_id, region = scope.current()
        state.projects[name] = {
            "name": name,
            "arn": state.arn("project", name),
            "timeoutInMinutes": DEFAULT_TIMEOUT_MINUTES,
            "queuedTimeoutInMinutes": DEFAULT_QUEUED_MINUTES,
            "encryptionKey": f"arn:aws:kms:{region}:{account_id}:alias/aws/s3",
            "tags": [],
            "cache": {"type": "NO_CACHE"},
            "created": now,
            "lastModified": now,
            "badge": {"badgeEnabled": False},
            **_settings(body),
        }
        return {"project": state.projects[name]}


def _settings(body: Body) -> dict[str, Any]:
    found = {member: body[member] for member in _SETTINGS if body.get(member) is not None and member != "badgeEnabled"}
    variables = (body.get("environment") or {}).get("environmentVariables")
    if variables is not None:
        typed = [{"type": "PLAINTEXT", **one} for one in variables]
        found["environment"] = {**body["environment"], "environmentVariables": typed}
    return found


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidInputException", message)


def _check(name: str, body: Body) -> None:
    source, artifacts = body.get("source") or {}, body.get("artifacts") or {}
    kinds = {source.get("type"), artifacts.get("type")}
    if source and artifacts and "CODEPIPELINE" in kinds and kinds != {"CODEPIPELINE"}:
        raise _invalid(
            "Invalid artifacts: if the source type is CODEPIPELINE, so is the artifacts type, and vice versa"
        )
    if source.get("type") == "NO_SOURCE" and not source.get("buildspec"):
        raise _invalid("Invalid project source: for NO_SOURCE, a buildspec is required")
    if source.get("type") in {"S3", "GITHUB", "CODECOMMIT", "BITBUCKET"} and not source.get("location"):
        raise _invalid("Invalid project source: location is required")
    environment = body.get("environment") or {}
    for variable in environment.get("environmentVariables") or []:
        if variable["name"].startswith("CODEBUILD_"):
            raise _invalid(
                f"Invalid environment variable {variable['name']}: names that start with CODEBUILD_ are reserved"
            )
    role = body.get("serviceRole")
    if role and not acting_role.can_be_assumed(role, PRINCIPAL, state.arn("project", name)):
        raise _invalid(f"CodeBuild is not authorized to perform: sts:AssumeRole on service role. Role: {role}")


def update(body: Body, _caller: Caller) -> Body:
    """UpdateProject: the members given replace those of the project."""
    with state.LOCK:
        found = state.project(body["name"])
        merged = {**found, **_settings(body)}
        _check(str(body["name"]), merged)
        found.update(_settings(body), lastModified=time.time())
        return {"project": found}


def batch_get(body: Body, _caller: Caller) -> Body:
    """BatchGetProjects, by name or ARN; unknown ones are said."""
    found, missing = [], []
    for name in body["names"]:
        try:
            found.append(state.project(name))
        except ServiceError:
            missing.append(name)
    return state.present(projects=found or None, projectsNotFound=missing or None)


def list_all(body: Body, _caller: Caller) -> Body:
    """ListProjects, by name or by time."""
    found = sorted(state.projects.values(), key=lambda project: project["name"])
    if body.get("sortBy") in {"CREATED_TIME", "LAST_MODIFIED_TIME"}:
        member = "created" if body["sortBy"] == "CREATED_TIME" else "lastModified"
        found.sort(key=lambda project: project[member])
    if body.get("sortOrder") == "DESCENDING":
        found.reverse()
    return {"projects": [project["name"] for project in found]}


def delete(body: Body, _caller: Caller) -> Body:
    """DeleteProject, with its builds; no error when there is none."""
    name = str(body["name"]).rpartition("project/")[2] or str(body["name"])
    with state.LOCK:
        state.projects.pop(name, None)
        for build_id in [key for key, found in state.builds.items() if found.name == name]:
            state.builds[build_id].stop.set()
            del state.builds[build_id]
    return {}


OPERATIONS = {
    "CreateProject": create,
    "UpdateProject": update,
    "BatchGetProjects": batch_get,
    "ListProjects": list_all,
    "DeleteProject": delete,
}
