"""Test accounts: made through Cognito's admin API where that is allowed, and given ones elsewhere.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminCreateUser.html
"""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions
from botocore import UNSIGNED
from botocore.config import Config as ClientConfig
from integration.suites import srp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from integration.suites.config import Config

PREFIX = "manuel-suite-"  # whose user names begin like this are ours to delete
DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
STALE = timedelta(hours=6)  # no run lasts that long


class SignInError(Exception):
    """Cognito did not sign an account in."""


class NotAllowedError(Exception):
    """The credentials of this run do not allow what it would do besides the tests of the environment itself."""


@dataclass(frozen=True)
class Account:
    """An account that is signed in. made: it is ours, and will be deleted."""

    email: str
    password: str = field(repr=False)
    made: bool
    id_token: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)

    @property
    def claims(self) -> dict[str, Any]:
        """What the id token says, unverified."""
        return claims(self.id_token)

    @property
    def sub(self) -> str:
        """The user's id."""
        return str(self.claims["sub"])


def claims(token: str) -> dict[str, Any]:
    """The payload of a JSON Web Token, unverified."""
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def with_claims(token: str, **changed: Any) -> str:
    """The same token saying something else, under its old signature."""
    header, _, signature = token.split(".")
    payload = json.dumps({**claims(token), **changed}, separators=(",", ":")).encode()
    return f"{header}.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.{signature}"


class Accounts:
    """The accounts of one user pool. Whatever is made here is deleted by `forget` or, at the end, by `close`.

    public, admin: boto3's clients, without and with credentials.
    """

    def __init__(self, config: Config, public: Any = None, admin: Any = None) -> None:
        self._config = config
        self._public: Any = public or boto3.client(
            "cognito-idp", region_name=config.region, config=ClientConfig(signature_version=UNSIGNED)
        )
        self._admin: Any = admin
        if config.make_users and admin is None:
            self._admin = boto3.client("cognito-idp", region_name=config.region)
        self._made: set[str] = set()
        self.leftovers: list[str] = []

    def make(self) -> Account:
        """A new account, confirmed and signed in."""
        email = f"{PREFIX}{secrets.token_hex(8)}@example.com"
        self._made.add(email)  # before it exists: a failure in between must not leave it behind
        self._admin.admin_create_user(UserPoolId=self._config.user_pool_id, Username=email, MessageAction="SUPPRESS")
        return self.entered(email)

    def entered(self, email: str) -> Account:
        """One of our accounts with a new password and signed in; it will be deleted."""
        self._made.add(email)
        pool, password = self._config.user_pool_id, f"Aa1!{secrets.token_urlsafe(18)}"
        self._admin.admin_set_user_password(UserPoolId=pool, Username=email, Password=password, Permanent=True)
        answer = self._admin.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=self._config.client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": password},
        )
        return _account(email, password, answer, made=True)

    def stale(self, now: datetime) -> list[str]:
        """Accounts that a run made which was killed before it could delete them; ours to delete now.

        Raises NotAllowedError without the permission to list users.
        """
        if self._admin is None:
            return []
        with _permitted("cognito-idp:ListUsers"):
            return self._stale(now)

    def _stale(self, now: datetime) -> list[str]:
        pages = self._admin.get_paginator("list_users").paginate(
            UserPoolId=self._config.user_pool_id, AttributesToGet=["email"], Filter=f'email ^= "{PREFIX}"'
        )
        return [
            attribute["Value"]
            for page in pages
            for user in page["Users"]
            if now - user["UserCreateDate"] > STALE
            for attribute in user["Attributes"]
            if attribute["Name"] == "email" and attribute["Value"].startswith(PREFIX)
        ]

    def given(self) -> list[Account]:
        """The accounts that the environment's owner gave, signed in as the app signs in."""
        return [self.sign_in(email, password) for email, password in self._config.accounts]

    def sign_in(self, email: str, password: str) -> Account:
        """Sign in without sending the password (SRP); raises SignInError."""
        exchange = srp.Exchange(self._config.user_pool_id)
        try:
            begun = self._public.initiate_auth(
                ClientId=self._config.client_id,
                AuthFlow="USER_SRP_AUTH",
                AuthParameters={"USERNAME": email, "SRP_A": exchange.public},
            )
            ended = self._public.respond_to_auth_challenge(
                ClientId=self._config.client_id,
                ChallengeName="PASSWORD_VERIFIER",
                ChallengeResponses=exchange.claim(password, begun["ChallengeParameters"]),
            )
        except botocore.exceptions.ClientError as error:
            raise SignInError(str(error)) from None
        if "AuthenticationResult" not in ended:
            raise SignInError(f"{email} has to answer {ended.get('ChallengeName')} before signing in")
        return _account(email, password, ended, made=False)

    def refreshed(self, account: Account) -> Account:
        """The same account with new tokens for its refresh token; raises SignInError."""
        try:
            answer = self._public.initiate_auth(
                ClientId=self._config.client_id,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": account.refresh_token},
            )["AuthenticationResult"]
        except botocore.exceptions.ClientError as error:
            raise SignInError(str(error)) from None
        return replace(account, id_token=answer["IdToken"], access_token=answer["AccessToken"])

    def revoke(self, account: Account) -> None:
        """End the account's session: its refresh token is good for nothing any more."""
        self._public.revoke_token(Token=account.refresh_token, ClientId=self._config.client_id)

    def foreign(self) -> str:
        """An id token of a user pool that has nothing to do with the API; the pool is deleted again.

        Raises NotAllowedError without the permission to make one.
        """
        name = f"{PREFIX}{secrets.token_hex(8)}"
        with _permitted("cognito-idp:CreateUserPool"):
            made = self._admin.create_user_pool(
                PoolName=name, UsernameAttributes=["email"], UserPoolTags={"manuel:purpose": "test"}
            )
        pool = made["UserPool"]["Id"]
        try:
            client = self._admin.create_user_pool_client(
                UserPoolId=pool,
                ClientName=name,
                ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            )["UserPoolClient"]["ClientId"]
            there = Accounts(replace(self._config, user_pool_id=pool, client_id=client))
            try:
                return there.make().id_token
            finally:
                there.close()
        finally:
            self._admin.delete_user_pool(UserPoolId=pool)

    def forget(self, account: Account) -> None:
        """Delete an account that was made here; what cannot be deleted is told in `leftovers`."""
        self._delete(account.email)

    def close(self) -> None:
        """Delete whatever was made and is still there."""
        for email in sorted(self._made):
            self._delete(email)
        for client in (self._public, self._admin):
            if client is not None:
                client.close()

    def _delete(self, email: str) -> None:
        if email not in self._made:
            return
        try:
            self._admin.admin_delete_user(UserPoolId=self._config.user_pool_id, Username=email)
        except self._admin.exceptions.UserNotFoundException:
            pass
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            self.leftovers.append(f"user {email}: {error}")
        self._made.remove(email)


@contextlib.contextmanager
def _permitted(action: str) -> Iterator[None]:
    try:
        yield
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
        raise NotAllowedError(f"these credentials do not allow {action}") from None


def _account(email: str, password: str, answer: dict[str, Any], *, made: bool) -> Account:
    tokens = answer["AuthenticationResult"]
    return Account(email, password, made, tokens["IdToken"], tokens["AccessToken"], tokens["RefreshToken"])
