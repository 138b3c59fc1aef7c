"""Deployment configurations: how fast traffic shifts.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
The sentences of refusals are those that AWS was measured to answer:
https://github.com/badmintoncryer/cdk-preflight (rules/codedeploy, deployed to AWS in 2026-09)
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator.codedeploy import names, state
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.targets import Body, Caller

Info = dict[str, Any]

RESERVED = "CodeDeployDefault."
LONGEST_SHIFT_MINUTES = 2880


def _canary(percentage: int, interval: int) -> Info:
    members = {"canaryPercentage": percentage, "canaryInterval": interval}
    return {"type": "TimeBasedCanary", "timeBasedCanary": members}


def _linear(percentage: int, interval: int) -> Info:
    members = {"linearPercentage": percentage, "linearInterval": interval}
    return {"type": "TimeBasedLinear", "timeBasedLinear": members}


ALL_AT_ONCE: Info = {"type": "AllAtOnce"}

_SHIFTS: dict[str, dict[str, Info]] = {
    "Lambda": {
        "LambdaCanary10Percent5Minutes": _canary(10, 5),
        "LambdaCanary10Percent10Minutes": _canary(10, 10),
        "LambdaCanary10Percent15Minutes": _canary(10, 15),
        "LambdaCanary10Percent30Minutes": _canary(10, 30),
        "LambdaLinear10PercentEvery1Minute": _linear(10, 1),
        "LambdaLinear10PercentEvery2Minutes": _linear(10, 2),
        "LambdaLinear10PercentEvery3Minutes": _linear(10, 3),
        "LambdaLinear10PercentEvery10Minutes": _linear(10, 10),
        "LambdaAllAtOnce": ALL_AT_ONCE,
    },
    "ECS": {
        "ECSLinear10PercentEvery1Minutes": _linear(10, 1),
        "ECSLinear10PercentEvery3Minutes": _linear(10, 3),
        "ECSCanary10Percent5Minutes": _canary(10, 5),
        "ECSCanary10Percent15Minutes": _canary(10, 15),
        "ECSAllAtOnce": ALL_AT_ONCE,
    },
}
_HEALTHY_HOSTS = {
    "OneAtATime": {"type": "HOST_COUNT", "value": -1},
    "HalfAtATime": {"type": "FLEET_PERCENT", "value": 50},
    "AllAtOnce": {"type": "HOST_COUNT", "value": 0},
}
PREDEFINED: dict[str, Info] = {
    **{
        RESERVED + name: {"computePlatform": platform, "trafficRoutingConfig": routing}
        for platform, shifts in _SHIFTS.items()
        for name, routing in shifts.items()
    },
    **{
        RESERVED + name: {"computePlatform": "Server", "minimumHealthyHosts": hosts}
        for name, hosts in _HEALTHY_HOSTS.items()
    },
}


def config(name: str) -> Info:
    """`DeploymentConfigInfo` of a predefined or own configuration; raises DeploymentConfigDoesNotExistException."""
    found = PREDEFINED.get(name) or state.configs.get(name)
    if found is None:
        raise ServiceError(
            "DeploymentConfigDoesNotExistException", f"No deployment configuration found for name: {name}"
        )
    return {"deploymentConfigName": name, **found}


def steps(routing: Info) -> list[tuple[int, int]]:
    """The shift as (percent of traffic on the target version, minutes to wait then); the last is (100, 0)."""
    kind = routing["type"]
    if kind == "TimeBasedCanary":
        canary = routing["timeBasedCanary"]
        return [(canary["canaryPercentage"], canary["canaryInterval"]), (100, 0)]
    if kind == "TimeBasedLinear":
        linear = routing["timeBasedLinear"]
        percentage, interval = linear["linearPercentage"], linear["linearInterval"]
        return [(percent, interval) for percent in range(percentage, 100, percentage)] + [(100, 0)]
    return [(100, 0)]


def create(body: Body, _caller: Caller) -> Body:
    """CreateDeploymentConfig."""
    name = names.deployment_config(body.get("deploymentConfigName"))
    if name.startswith(RESERVED):
        raise ServiceError(
            "InvalidDeploymentConfigNameException",
            f"The prefix {RESERVED} is reserved for predefined configuration names",
        )
    platform = names.platform(body.get("computePlatform"))
    if platform == "Server":
        made: Info = {"minimumHealthyHosts": _hosts(body)}
    else:
        made = {"trafficRoutingConfig": _routing(platform, body)}
    with state.LOCK:
        if name in state.configs:
            raise ServiceError(
                "DeploymentConfigAlreadyExistsException", f"Deployment configuration already exists with name: {name}"
            )
        made |= {"deploymentConfigId": str(uuid.uuid4()), "computePlatform": platform, "createTime": time.time()}
        state.configs[name] = made
    return {"deploymentConfigId": made["deploymentConfigId"]}


def _hosts(body: Body) -> Info:
    hosts = body.get("minimumHealthyHosts")
    if not isinstance(hosts, dict):
        raise ServiceError("InvalidMinimumHealthyHostValueException", "minimum healthy hosts argument is missing")
    if body.get("trafficRoutingConfig"):
        raise _invalid_routing("Traffic routing configuration should be null for Server deployment configuration")
    return hosts


def _routing(platform: str, body: Body) -> Info:
    if body.get("minimumHealthyHosts"):
        raise ServiceError(
            "InvalidMinimumHealthyHostValueException",
            f"minimum healthy hosts should be null for {platform} deployment configuration",
        )
    if body.get("zonalConfig"):
        raise ServiceError(
            "InvalidZonalDeploymentConfigurationException",
            "Zonal deployments are only supported with EC2 deployments.",
        )
    routing = body.get("trafficRoutingConfig")
    if not isinstance(routing, dict) or not routing:
        raise _invalid_routing(
            "Traffic routing configuration cannot be null nor empty for deployment configurations on this platform."
        )
    kind = routing.get("type")
    if kind not in {"TimeBasedCanary", "TimeBasedLinear", "AllAtOnce"}:
        raise _invalid_routing(f"Traffic routing type {kind} is not valid.")
    for block in ("TimeBasedCanary", "TimeBasedLinear"):
        given = bool(routing.get(block[:1].lower() + block[1:]))
        if given != (kind == block):
            wrong = "should be null" if given else "should not be null"
            raise _invalid_routing(f"{block}Configuration {wrong} for {kind} type")
    if kind == "TimeBasedCanary":
        _check_canary(routing["timeBasedCanary"])
    if kind == "TimeBasedLinear":
        _check_linear(routing["timeBasedLinear"])
    return routing


def _check_percentage(value: Any) -> int:
    if not isinstance(value, int) or not 1 <= value <= 99:
        raise _invalid_routing("Valid traffic routing percentage is from 1 to 99")
    return value


def _check_canary(canary: Info) -> None:
    _check_percentage(canary.get("canaryPercentage"))
    interval = canary.get("canaryInterval")
    if not isinstance(interval, int) or not 1 <= interval <= LONGEST_SHIFT_MINUTES:
        raise _invalid_routing("Canary interval must be between 1 and 2880 minutes (2 days)")


def _check_linear(linear: Info) -> None:
    percentage = _check_percentage(linear.get("linearPercentage"))
    interval = linear.get("linearInterval")
    if not isinstance(interval, int) or interval < 1 or interval * (100 // percentage) > LONGEST_SHIFT_MINUTES:
        raise _invalid_routing("Total Traffic shifting intervals must be positive integers up to 2880 minutes (2 days)")


def _invalid_routing(message: str) -> ServiceError:
    return ServiceError("InvalidTrafficRoutingConfigurationException", message)


def get(body: Body, _caller: Caller) -> Body:
    """GetDeploymentConfig."""
    return {"deploymentConfigInfo": config(names.deployment_config(body.get("deploymentConfigName")))}


def list_all(_body: Body, _caller: Caller) -> Body:
    """ListDeploymentConfigs."""
    return {"deploymentConfigsList": [*PREDEFINED, *state.configs.keys()]}


def delete(body: Body, _caller: Caller) -> Body:
    """DeleteDeploymentConfig; refused for a predefined one and for one that a group or a running deployment uses."""
    name = names.deployment_config(body.get("deploymentConfigName"))
    if name.startswith(RESERVED):
        raise ServiceError("InvalidOperationException", "Predefined deployment configurations cannot be deleted.")
    with state.LOCK:
        by_groups = any(group["deploymentConfigName"] == name for group in state.groups.values())
        by_deployments = any(found.active and found.config == name for found in state.deployments.values())
        if by_groups or by_deployments:
            raise ServiceError("DeploymentConfigInUseException", f"Deployment configuration {name} is in use.")
        state.configs.pop(name, None)
    return {}


OPERATIONS = {
    "CreateDeploymentConfig": create,
    "GetDeploymentConfig": get,
    "ListDeploymentConfigs": list_all,
    "DeleteDeploymentConfig": delete,
}
