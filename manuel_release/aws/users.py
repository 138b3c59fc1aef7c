"""Cognito: test users, for rehearsals and for the tests that run against an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.aws.errors import translated

if TYPE_CHECKING:
    from manuel_release.aws.session import Session


class Users:
    """Users of one Cognito user pool."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, pool_id: str, email: str, password: str) -> None:
        """Make a confirmed user with that password; raises ReleaseError."""
        client = self._session.client("cognito-idp")
        with translated(f"making the user {email}"):
            client.admin_create_user(
                UserPoolId=pool_id,
                Username=email,
                MessageAction="SUPPRESS",
                UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
            )
            client.admin_set_user_password(UserPoolId=pool_id, Username=email, Password=password, Permanent=True)

    def id_token(self, pool_id: str, client_id: str, email: str, password: str) -> str:
        """Sign in and return the id token (a JWT); raises ReleaseError."""
        client = self._session.client("cognito-idp")
        with translated(f"signing {email} in"):
            answer = client.admin_initiate_auth(
                UserPoolId=pool_id,
                ClientId=client_id,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": email, "PASSWORD": password},
            )
        return answer["AuthenticationResult"]["IdToken"]

    def delete(self, pool_id: str, email: str) -> None:
        """Delete the user; raises ReleaseError."""
        with translated(f"deleting the user {email}"):
            self._session.client("cognito-idp").admin_delete_user(UserPoolId=pool_id, Username=email)
