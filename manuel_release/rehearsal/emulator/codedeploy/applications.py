"""Applications, the revisions registered with them, and tags.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateApplication.html
"""

from __future__ import annotations

import hashlib
import time
import uuid
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator.codedeploy import appspec, names, state
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.targets import Body, Caller

BATCH_LIMIT = 100


def create(body: Body, _caller: Caller) -> Body:
    """CreateApplication."""
    name = names.application(body.get("applicationName"))
    platform = names.platform(body.get("computePlatform"))
    with state.LOCK:
        if name in state.applications:
            raise _taken(name)
        made = {
            "applicationId": str(uuid.uuid4()),
            "applicationName": name,
            "createTime": time.time(),
            "linkedToGitHub": False,
            "computePlatform": platform,
        }
        state.applications[name] = made
        set_tags(state.arn("application", name), body.get("tags"))
    return {"applicationId": made["applicationId"]}


def _taken(name: str) -> ServiceError:
    return ServiceError("ApplicationAlreadyExistsException", f"Application already exists with the name: {name}")


def get(body: Body, _caller: Caller) -> Body:
    """GetApplication."""
    return {"application": state.application(names.application(body.get("applicationName")))}


def batch_get(body: Body, _caller: Caller) -> Body:
    """BatchGetApplications."""
    wanted = names.at_most(body.get("applicationNames"), BATCH_LIMIT)
    return {"applicationsInfo": [state.application(names.application(name)) for name in wanted]}


def list_all(_body: Body, _caller: Caller) -> Body:
    """ListApplications."""
    return {"applications": state.applications.keys()}


def rename(body: Body, _caller: Caller) -> Body:
    """UpdateApplication: a new name; groups, revisions, deployments and tags follow."""
    old = names.application(body.get("applicationName"))
    new = names.application(body.get("newApplicationName") or old)
    with state.LOCK:
        found = state.application(old)
        if new == old:
            return {}
        if new in state.applications:
            raise _taken(new)
        state.applications[new] = {**state.applications.pop(old), "applicationName": new}
        for store in (state.groups, state.revisions):
            for key in [key for key in store.keys() if key[0] == old]:  # noqa: SIM118 - scoped, not a dict
                store[new, key[1]] = store.pop(key)
        for group in state.groups.values():
            if group["applicationName"] == old:
                group["applicationName"] = new
                _move_tags(
                    "deploymentgroup", f"{old}/{group['deploymentGroupName']}", f"{new}/{group['deploymentGroupName']}"
                )
        for deployment in state.deployments.values():
            if deployment.application == old:
                deployment.application = new
        _move_tags("application", found["applicationName"], new)
    return {}


def _move_tags(kind: str, old: str, new: str) -> None:
    found = state.tags.pop(state.arn(kind, old), None)
    if found is not None:
        state.tags[state.arn(kind, new)] = found


def delete(body: Body, _caller: Caller) -> Body:
    """DeleteApplication, with its groups and revisions; no error when there is none."""
    name = names.application(body.get("applicationName"))
    with state.LOCK:
        state.applications.pop(name, None)
        state.tags.pop(state.arn("application", name), None)
        for store in (state.groups, state.revisions):
            for key in [key for key in store.keys() if key[0] == name]:  # noqa: SIM118 - scoped, not a dict
                del store[key]
                state.tags.pop(state.arn("deploymentgroup", f"{name}/{key[1]}"), None)
    return {}


def remember_revision(application: str, location: Any, content: str, group: str | None, description: str = "") -> None:
    """Register a revision with an application, and that `group` uses it now, when one does."""
    now = time.time()
    key = (application, hashlib.sha256(content.encode()).hexdigest())
    with state.LOCK:
        known: tuple[Any, dict[str, Any]] | None = state.revisions.get(key)
        location, info = known or (location, {"registerTime": now, "deploymentGroups": []})
        if description:
            info["description"] = description
        if group is not None:
            info.setdefault("firstUsedTime", now)
            info["lastUsedTime"] = now
            info["deploymentGroups"] = sorted({*info["deploymentGroups"], group})
        state.revisions[key] = (location, info)


def register_revision(body: Body, _caller: Caller) -> Body:
    """RegisterApplicationRevision."""
    name = names.application(body.get("applicationName"))
    state.application(name)
    content = appspec.text(body.get("revision"))
    remember_revision(name, body["revision"], content, None, str(body.get("description") or ""))
    return {}


def get_revision(body: Body, _caller: Caller) -> Body:
    """GetApplicationRevision."""
    name = names.application(body.get("applicationName"))
    state.application(name)
    content = appspec.text(body.get("revision"))
    found = state.revisions.get((name, hashlib.sha256(content.encode()).hexdigest()))
    if found is None:
        raise ServiceError("RevisionDoesNotExistException", f"The revision is not registered with application {name}")
    return {"applicationName": name, "revision": found[0], "revisionInfo": found[1]}


def list_revisions(body: Body, _caller: Caller) -> Body:
    """ListApplicationRevisions, in the order of their registration."""
    name = names.application(body.get("applicationName"))
    state.application(name)
    return {"revisions": [found[0] for key, found in state.revisions.items() if key[0] == name]}


def set_tags(arn: str, given: Any) -> None:
    """Add tags ([{Key, Value}]) to a resource; raises InvalidTagsToAddException."""
    pairs = given or []
    if any(not tag.get("Key") or str(tag["Key"]).lower().startswith("aws:") for tag in pairs):
        raise ServiceError("InvalidTagsToAddException", "A tag key is missing, or begins with aws:")
    if pairs:
        known: dict[str, str] = state.tags.get(arn) or {}
        state.tags[arn] = known | {tag["Key"]: tag.get("Value", "") for tag in pairs}


def _tagged_resource(body: Body) -> str:
    arn = str(body.get("ResourceArn") or "")
    if not arn:
        raise ServiceError("ResourceArnRequiredException", "The resource ARN is required.")
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[0] != "arn":
        raise ServiceError("InvalidArnException", f"{arn} is not a valid ARN.")
    if parts[2] != "codedeploy" or parts[5] not in {"application", "deploymentgroup"}:
        raise ServiceError("ArnNotSupportedException", f"{arn} cannot have tags.")
    application, _, group = parts[6].partition("/")
    if parts[5] == "application":
        state.application(application)
    else:
        state.group(application, group)
    return arn


def tag(body: Body, _caller: Caller) -> Body:
    """TagResource."""
    arn = _tagged_resource(body)
    if not body.get("Tags"):
        raise ServiceError("TagRequiredException", "A tag is required.")
    set_tags(arn, body["Tags"])
    return {}


def untag(body: Body, _caller: Caller) -> Body:
    """UntagResource."""
    arn = _tagged_resource(body)
    if not body.get("TagKeys"):
        raise ServiceError("TagRequiredException", "A tag is required.")
    state.tags[arn] = {key: value for key, value in (state.tags.get(arn) or {}).items() if key not in body["TagKeys"]}
    return {}


def list_tags(body: Body, _caller: Caller) -> Body:
    """ListTagsForResource."""
    found = state.tags.get(_tagged_resource(body)) or {}
    return {"Tags": [{"Key": key, "Value": value} for key, value in found.items()]}


OPERATIONS = {
    "CreateApplication": create,
    "GetApplication": get,
    "BatchGetApplications": batch_get,
    "ListApplications": list_all,
    "UpdateApplication": rename,
    "DeleteApplication": delete,
    "RegisterApplicationRevision": register_revision,
    "GetApplicationRevision": get_revision,
    "ListApplicationRevisions": list_revisions,
    "TagResource": tag,
    "UntagResource": untag,
    "ListTagsForResource": list_tags,
}
