"""What a deployed stack says about itself: its API, its user pool and the values of its parameters.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions
from integration.suites.config import Config, ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


def discovered(config: Config, cloudformation: Any = None) -> Config:
    """The configuration with what the stack's outputs and parameters say; what was given by variables stays.

    Raises ConfigError when there is no such stack or no permission to look at it.
    """
    client = cloudformation or boto3.client("cloudformation", region_name=config.region)
    try:
        (stack,) = client.describe_stacks(StackName=config.stack)["Stacks"]
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise ConfigError(f"The stack {config.stack} cannot be read: {error}") from None
    finally:
        if cloudformation is None:
            client.close()
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", [])}
    return replace(
        config,
        url=config.url or _address(outputs, os.environ),
        user_pool_id=config.user_pool_id or outputs.get("UserPoolId", ""),
        client_id=config.client_id or outputs.get("UserPoolClientId", ""),
        advanced_security=parameters.get("EnableAdvancedSecurity", str(config.advanced_security).lower()) == "true",
        fault_layer=config.fault_layer or bool(parameters.get("FaultInjectionLayer")),
        daily_quota=int(parameters.get("DailyQuotaLimit", config.daily_quota)),
    )


def _address(outputs: Mapping[str, str], variables: Mapping[str, str]) -> str:
    """`MANUEL_API_URL` is a pattern with `{api_id}` and `{stage}`, for an API behind another name."""
    pattern = variables.get("MANUEL_API_URL", "")
    if pattern and {"ApiId", "ApiStage"} <= outputs.keys():
        return pattern.format(api_id=outputs["ApiId"], stage=outputs["ApiStage"])
    return outputs.get("ApiUrl", "")
