"""The AppSpec of a Lambda deployment: which alias moves from which version to which, and who validates.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import yaml
from ministack.services import lambda_svc

from manuel_release.rehearsal.emulator.targets import ServiceError

REQUIRES = {"ministack.services.lambda_svc._fetch_code_from_s3": ("bucket", "key", "version_id")}

CONTENT_MEMBERS = {"AppSpecContent": "appSpecContent", "String": "string"}
HOOKS = ("BeforeAllowTraffic", "AfterAllowTraffic")


@dataclass(frozen=True)
class AppSpec:
    """What one AppSpec asks for. Hooks are function names or ARNs, empty when there is none."""

    function: str
    alias: str
    current_version: str
    target_version: str
    before_allow_traffic: str = ""
    after_allow_traffic: str = ""

    def reversed(self) -> AppSpec:
        """The way back: without hooks, as CodeDeploy's own rollback deployments run none."""
        return AppSpec(self.function, self.alias, self.target_version, self.current_version)

    def content(self) -> str:
        """As the JSON text of an AppSpec file."""
        properties = {
            "name": self.function,
            "alias": self.alias,
            "currentversion": self.current_version,
            "targetversion": self.target_version,
        }
        resource = {self.function: {"type": "AWS::Lambda::Function", "properties": properties}}
        return json.dumps({"version": 0.0, "resources": [resource]})


def revision(spec: AppSpec) -> dict[str, Any]:
    """The `RevisionLocation` that carries `spec`."""
    content = spec.content()
    digest = hashlib.sha256(content.encode()).hexdigest()
    return {"revisionType": "String", "string": {"content": content, "sha256": digest}}


def text(location: Any) -> str:
    """The AppSpec file's text in a `RevisionLocation`.

    Raises RevisionRequiredException, InvalidRevisionException (a type that Lambda has not, nothing in it, a digest
    of something else), RevisionDoesNotExistException (S3).
    """
    if not isinstance(location, dict) or not location:
        raise ServiceError("RevisionRequiredException", "The revision is required.")
    kind = location.get("revisionType")
    if kind == "S3":
        return _from_s3(location.get("s3Location") or {})
    if kind not in CONTENT_MEMBERS:
        raise ServiceError("InvalidRevisionException", f"Revision type {kind} is not valid for a Lambda deployment.")
    raw = location.get(CONTENT_MEMBERS[kind]) or {}
    content = str(raw.get("content") or "")
    if not content:
        raise ServiceError("InvalidRevisionException", "The revision content cannot be null or empty.")
    claimed = raw.get("sha256")
    if claimed and claimed.lower() != hashlib.sha256(content.encode()).hexdigest():
        raise ServiceError("InvalidRevisionException", "The sha256 of the revision does not match its content.")
    return content


def _from_s3(where: dict[str, Any]) -> str:
    bucket, key = where.get("bucket"), where.get("key")
    if not bucket or not key or where.get("bundleType") not in {"YAML", "JSON"}:
        raise ServiceError("InvalidRevisionException", "bucket, key and a bundle type of YAML or JSON are required.")
    found: bytes | None = lambda_svc._fetch_code_from_s3(bucket, key, version_id=where.get("version"))
    if found is None:
        raise ServiceError("RevisionDoesNotExistException", f"No revision found at s3://{bucket}/{key}")
    return found.decode()


def parse(content: str) -> AppSpec | None:
    """What the text asks for, JSON or YAML, keys in any case; None when that is not one complete Lambda resource.

    AWS takes such a text and fails the deployment afterwards, so this raises nothing.
    """
    try:
        document = yaml.safe_load(content)  # JSON is YAML
    except yaml.YAMLError:
        return None
    top = _lower(document)
    resources = top.get("resources")
    if str(top.get("version")) != "0.0" or not isinstance(resources, list) or len(resources) != 1:
        return None
    named = resources[0]
    if not isinstance(named, dict) or len(named) != 1:
        return None
    resource = _lower(next(iter(named.values())))
    given = _lower(resource.get("properties")).items()
    properties = {name: str(value) for name, value in given if value is not None}
    wanted = [properties.get(name, "") for name in ("name", "alias", "currentversion", "targetversion")]
    hooks = _hooks(top.get("hooks"))
    if resource.get("type") != "AWS::Lambda::Function" or not all(wanted) or hooks is None:
        return None
    return AppSpec(*wanted, *(hooks.get(name.lower(), "") for name in HOOKS))


def _lower(value: Any) -> dict[str, Any]:
    return {str(name).lower(): item for name, item in value.items()} if isinstance(value, dict) else {}


def _hooks(value: Any) -> dict[str, str] | None:
    found: dict[str, str] = {}
    if value is not None and not isinstance(value, list):
        return None
    for entry in value or []:
        for name, function in _lower(entry).items():
            if name not in {hook.lower() for hook in HOOKS}:
                return None
            found[name] = str(function)
    return found
