"""Names and small values that several operations take, checked as the API model says."""

from __future__ import annotations

import re
from typing import Any

from manuel_release.rehearsal.emulator.targets import ServiceError

_NAME = re.compile(r"[A-Za-z0-9+=,.@_-]{1,100}\Z")
PLATFORMS = ("Server", "Lambda", "ECS", "Kubernetes")


def _name(value: Any, kind: str, words: str) -> str:
    if not value:
        raise ServiceError(f"{kind}RequiredException", f"The {words} name is required.")
    text = str(value)
    if not _NAME.match(text):
        raise ServiceError(
            f"Invalid{kind}Exception",
            f"The {words} name {text} is not valid: 1 to 100 letters, digits, or characters of + = , . @ - _",
        )
    return text


def application(value: Any) -> str:
    """Raises ApplicationNameRequiredException, InvalidApplicationNameException."""
    return _name(value, "ApplicationName", "application")


def group(value: Any) -> str:
    """Raises DeploymentGroupNameRequiredException, InvalidDeploymentGroupNameException."""
    return _name(value, "DeploymentGroupName", "deployment group")


def deployment_config(value: Any) -> str:
    """Raises DeploymentConfigNameRequiredException, InvalidDeploymentConfigNameException."""
    return _name(value, "DeploymentConfigName", "deployment configuration")


def platform(value: Any) -> str:
    """The compute platform, `Server` when none is given; raises InvalidComputePlatformException."""
    if value is None:
        return "Server"
    if value not in PLATFORMS:
        raise ServiceError(
            "InvalidComputePlatformException",
            f"ComputePlatform '{value}' is not valid. Valid values are [{', '.join(PLATFORMS)}]",
        )
    return str(value)


def at_most(values: Any, limit: int) -> list[str]:
    """The identifiers of a batch request; raises BatchLimitExceededException beyond `limit` of them."""
    found = [str(value) for value in values or []]
    if len(found) > limit:
        raise ServiceError("BatchLimitExceededException", f"At most {limit} can be asked for in one request.")
    return found
