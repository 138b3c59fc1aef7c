"""A service that acts as one of the account's roles: with `AUTH=true`, no more than the role's policies allow.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-service.html
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam, sts

from manuel_release.rehearsal.emulator import scope

REQUIRES = {
    "ministack.app.AUTH": None,
    "ministack.core.iam_actions.identity_denial_message": ("action", "principal_arn", "resource", "explicit_deny"),
    "ministack.core.iam_evaluator.EvalContext": None,
    "ministack.core.iam_evaluator._conditions_met": ("conditions", "ctx"),
    "ministack.core.iam_evaluator._gather_role_policies": ("role_name", "account_id"),
    "ministack.core.iam_evaluator.evaluate": ("ctx", "policies", "limits"),
    "ministack.services.iam._roles": None,
    "ministack.services.sts.register_session": ("access_key", "session"),
}


class AccessDenied(Exception):  # noqa: N818 - what AWS calls it
    """The role may not do it; the message is AWS's, naming who, action and resource."""


@dataclass(frozen=True)
class Actor:
    """A session of a role: `role` is its ARN, `session` the session's name."""

    role: str
    session: str

    @property
    def name(self) -> str:
        """The role's name."""
        return self.role.rsplit("/", 1)[-1]

    @property
    def arn(self) -> str:
        """The session's ARN, which AWS names in refusals."""
        account_id, _region = scope.current()
        return f"arn:aws:sts::{account_id}:assumed-role/{self.name}/{self.session}"

    def require(self, action: str, resource: str, **keys: str) -> None:
        """Raise AccessDenied unless the role's policies allow `action` (`s3:GetObject`) on the ARN.

        keys: condition keys of the request, a colon written as two underscores (`iam__passedtoservice`).
        """
        if not app.AUTH:
            return
        account_id, _region = scope.current()
        policies = iam_evaluator._gather_role_policies(self.name, account_id)
        decision = iam_evaluator.evaluate(_context(self.arn, action, resource, **keys), policies).decision
        if decision != "Allow":
            raise AccessDenied(iam_actions.identity_denial_message(action, self.arn, resource, decision == "Deny"))

    def credentials(self, seconds: float) -> dict[str, str]:
        """Environment variables of the session's credentials, good for so many seconds.

        Without enforcement they are the account's own, as ministack's Lambda has them.
        """
        account_id, _region = scope.current()
        if not app.AUTH:
            return {"AWS_ACCESS_KEY_ID": account_id, "AWS_SECRET_ACCESS_KEY": "embedded", "AWS_SESSION_TOKEN": ""}
        key, secret, token = f"ASIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), secrets.token_hex(32)
        record = {
            "Arn": self.arn,
            "UserId": f"{self.name}:{self.session}",
            "SecretAccessKey": secret,
            "SessionToken": token,
            "Expiration": time.time() + seconds,
        }
        sts.register_session(key, record)
        return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}


def _context(arn: str, action: str, resource: str, **keys: str) -> Any:
    account_id, region = scope.current()
    return iam_evaluator.EvalContext(
        principal_arn=arn,
        principal_type="AssumedRole",
        principal_account=account_id,
        action=action,
        resource_arn=resource,
        region=region,
        service_context={name.replace("__", ":"): value for name, value in keys.items()},
    )


def can_be_assumed(role: str, principal: str, source: str) -> bool:
    """Whether the role exists and trusts a service (`codebuild.amazonaws.com`) that works for the resource `source`.

    True when IAM is not enforced.
    """
    if not app.AUTH:
        return True
    found = iam._roles.get(role.rsplit("/", 1)[-1])
    if found is None:
        return False
    document = found.get("AssumeRolePolicyDocument") or {}
    if isinstance(document, str):
        document = json.loads(document)
    statements = document.get("Statement") or []
    account_id, _region = scope.current()
    context = _context(principal, "sts:AssumeRole", role, aws__sourceaccount=account_id, aws__sourcearn=source)
    return any(
        statement.get("Effect") == "Allow"
        and principal in _services(statement.get("Principal"))
        and iam_evaluator._conditions_met(statement.get("Condition") or {}, context)
        for statement in (statements if isinstance(statements, list) else [statements])
    )


def _services(principal: Any) -> list[str]:
    found = principal.get("Service", []) if isinstance(principal, dict) else []
    return [found] if isinstance(found, str) else list(found)
