"""IAM: what a principal may do, asked without doing it.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from manuel_release.aws.errors import translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manuel_release.aws.session import Session

_ASSUMED = re.compile(r"arn:(?P<partition>[\w-]+):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/")


class Permissions:
    """Reads roles and simulates policies; changes nothing."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def role_exists(self, arn: str) -> bool:
        """Whether a role is there; raises ReleaseError when IAM cannot be asked."""
        client = self._session.client("iam")
        with translated(f"cannot read role {arn}"):
            try:
                client.get_role(RoleName=arn.rsplit("/", 1)[-1])
            except client.exceptions.NoSuchEntityException:
                return False
        return True

    def denied(self, principal: str, action: str, resources: Sequence[str]) -> tuple[str, ...]:
        """The resources (ARNs) for which the principal's policies do not allow the action.

        A session of a role is asked about as the role, so a session policy is not seen. The account's root user is not
        asked about: no policy of the account limits it.

        Raises ReleaseError when IAM cannot be asked.
        """
        if principal.endswith(":root"):
            return ()
        with translated(f"cannot find out whether {principal} may {action}"):
            answer = self._session.client("iam").simulate_principal_policy(
                PolicySourceArn=self._source(principal), ActionNames=[action], ResourceArns=list(resources)
            )
        return tuple(
            result.get("EvalResourceName", "*")
            for result in answer["EvaluationResults"]
            if result["EvalDecision"] != "allowed"
        )

    def _source(self, principal: str) -> str:
        """The ARN whose policies count; that of a session leaves out the role's path."""
        assumed = _ASSUMED.match(principal)
        if assumed is None:
            return principal
        return str(self._session.client("iam").get_role(RoleName=assumed["role"])["Role"]["Arn"])
