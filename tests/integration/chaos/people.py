"""A user for the time of a run, made and deleted with Cognito's admin calls; and what the stack says of itself."""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DOMAIN = "chaos.example.com"


@dataclass(frozen=True)
class Stack:
    """Outputs of a stack."""

    outputs: Mapping[str, str]

    @property
    def url(self) -> str:
        """The API's address; MANUEL_API_URL ({api_id}, {stage}) comes first, as for the release tool."""
        form = os.environ.get("MANUEL_API_URL")
        if form:
            return form.format(api_id=self.outputs["ApiId"], stage=self.outputs["ApiStage"])
        return self.outputs["ApiUrl"]


def stack(cloudformation: Any, name: str) -> Stack | None:
    """The outputs of a stack; None when there is no such stack (`cloudformation`: boto3's client)."""
    try:
        (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except cloudformation.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    return Stack({one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])})


@contextlib.contextmanager
def signed_in(cognito: Any, pool: str, client: str) -> Iterator[str]:
    """The id token of a new user, who is deleted at the end (`cognito`: boto3's cognito-idp client)."""
    email, password = f"chaos-{secrets.token_hex(8)}@{DOMAIN}", f"Aa1!{secrets.token_hex(12)}"
    cognito.admin_create_user(UserPoolId=pool, Username=email, MessageAction="SUPPRESS")
    try:
        cognito.admin_set_user_password(UserPoolId=pool, Username=email, Password=password, Permanent=True)
        answer = cognito.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": password},
        )
        yield answer["AuthenticationResult"]["IdToken"]
    finally:
        cognito.admin_delete_user(UserPoolId=pool, Username=email)
