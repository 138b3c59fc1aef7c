"""The service role of a deployment group: with `AUTH=true`, CodeDeploy can do no more than its policies allow.

https://docs.aws.amazon.com/codedeploy/latest/userguide/getting-started-create-service-role.html
"""

from __future__ import annotations

import json
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.services import iam

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.targets import ServiceError

PRINCIPAL = "codedeploy.amazonaws.com"

REQUIRES = {
    "ministack.app.AUTH": None,
    "ministack.core.iam_evaluator._gather_role_policies": ("role_name", "account_id"),
    "ministack.core.iam_evaluator.EvalContext": None,
    "ministack.core.iam_evaluator.evaluate": ("ctx", "policies", "limits"),
    "ministack.services.iam._aws_managed_policies": None,
    "ministack.services.iam._make_aws_managed_record": ("name", "document", "description"),
    "ministack.services.iam._roles": None,
}

_ON_EVERYTHING = ("cloudwatch:DescribeAlarms", "lambda:UpdateAlias", "lambda:GetAlias")
_MANAGED = {
    "service-role/AWSCodeDeployRoleForLambda": (*_ON_EVERYTHING, "sns:Publish"),
    "service-role/AWSCodeDeployRoleForLambdaLimited": _ON_EVERYTHING,
}


def know_managed_policies() -> None:
    """Make IAM know AWS's policies for this role, as far as they matter here; ministack has none for them.

    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCodeDeployRoleForLambda.html
    """
    hooks = {
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": "arn:aws:lambda:*:*:function:CodeDeployHook_*",
    }
    for name, actions in _MANAGED.items():
        statements = [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}, hooks]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        record = iam._make_aws_managed_record(name, document, "Service role of CodeDeploy for Lambda.")
        iam._aws_managed_policies[record["Arn"]] = record


def _role(arn: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = iam._roles.get(arn.rsplit("/", 1)[-1])
    return found


def _trusts_codedeploy(role: dict[str, Any]) -> bool:
    document = role.get("AssumeRolePolicyDocument") or {}
    if isinstance(document, str):
        document = json.loads(document)
    statements = document.get("Statement") or []
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow" and PRINCIPAL in ([services] if isinstance(services, str) else services):
            return True
    return False


def cannot_be_assumed(arn: str) -> str:
    """Why CodeDeploy cannot act as the role, empty when it can or IAM is not enforced."""
    if not app.AUTH:
        return ""
    role = _role(arn)
    if role is None or not _trusts_codedeploy(role):
        return f"AWS CodeDeploy does not have the permissions required to assume the role {arn}."
    return ""


def check_trust(arn: str) -> None:
    """Raise InvalidRoleException when CodeDeploy cannot act as the role."""
    why = cannot_be_assumed(arn)
    if why:
        raise ServiceError("InvalidRoleException", why)


def allows(arn: str, action: str, resource: str) -> bool:
    """Whether the role's policies allow `action` (`lambda:UpdateAlias`) on the ARN; True when IAM is not enforced."""
    if not app.AUTH:
        return True
    account_id, region = scope.current()
    name = arn.rsplit("/", 1)[-1]
    policies = iam_evaluator._gather_role_policies(name, account_id)
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account_id}:assumed-role/{name}/codedeploy",
        principal_type="AssumedRole",
        principal_account=account_id,
        action=action,
        resource_arn=resource,
        region=region,
    )
    return bool(iam_evaluator.evaluate(context, policies).decision == "Allow")


def lacks(arn: str, service: str) -> str:
    """CodeDeploy's sentence for a role without permissions for a service (`AWSLambda`)."""
    return (
        f"The IAM role {arn} does not give you permission to perform operations in the following AWS service: "
        f"{service}. Contact your AWS administrator if you need help. If you are an AWS administrator, you can grant "
        "permissions to your users or groups by creating IAM policies."
    )
