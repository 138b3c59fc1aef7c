"""Signing in without sending the password, and deleting every account that was made."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from integration.suites import srp
from integration.suites.accounts import PREFIX, Accounts, NotAllowedError

if TYPE_CHECKING:
    from integration.suites.config import Config

POOL = "eu-west-1_Ab3"
NOW = datetime(2026, 11, 3, 9, 5, 7, tzinfo=UTC)


def number(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest(), "big")


def padded(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


@dataclass
class Verifier:
    """The other side of SRP-6a: it knows a verifier of the password and never sees the password."""

    password: str
    user: str = "user-1"
    salt: int = 0x8F3A
    secret: int = 123_456_789_123_456_789
    block: bytes = b"opaque"
    public: int = field(init=False)

    def __post_init__(self) -> None:
        identity = hashlib.sha256(f"Ab3{self.user}:{self.password}".encode()).digest()
        self.verifier = pow(srp.GENERATOR, number(padded(self.salt) + identity), srp.PRIME)
        multiplier = number(padded(srp.PRIME) + padded(srp.GENERATOR))
        self.public = (multiplier * self.verifier + pow(srp.GENERATOR, self.secret, srp.PRIME)) % srp.PRIME

    @property
    def challenge(self) -> dict[str, str]:
        return {
            "USER_ID_FOR_SRP": self.user,
            "SRP_B": f"{self.public:x}",
            "SALT": f"{self.salt:x}",
            "SECRET_BLOCK": base64.b64encode(self.block).decode(),
        }

    def accepts(self, theirs: str, responses: dict[str, str]) -> bool:
        scramble = number(padded(int(theirs, 16)) + padded(self.public))
        shared = pow(int(theirs, 16) * pow(self.verifier, scramble, srp.PRIME), self.secret, srp.PRIME)
        key = hmac.digest(hmac.digest(padded(scramble), padded(shared), "sha256"), b"Caldera Derived Key\x01", "sha256")
        message = b"Ab3" + self.user.encode() + self.block + responses["TIMESTAMP"].encode()
        expected = base64.b64encode(hmac.digest(key[:16], message, "sha256")).decode()
        return hmac.compare_digest(expected, responses["PASSWORD_CLAIM_SIGNATURE"])


def test_who_knows_the_password_convinces_who_knows_its_verifier() -> None:
    for secret in range(3, 30):  # some of the numbers begin with a zero byte or a set bit
        exchange, verifier = srp.Exchange(POOL, secret=secret**40), Verifier("Right-1", salt=secret << 120)
        assert verifier.accepts(exchange.public, exchange.claim("Right-1", verifier.challenge, NOW))


def test_who_does_not_know_the_password_convinces_nobody() -> None:
    exchange, verifier = srp.Exchange(POOL), Verifier("Right-1")

    assert not verifier.accepts(exchange.public, exchange.claim("Wrong-1", verifier.challenge, NOW))


def test_the_time_is_written_as_cognito_reads_it() -> None:
    claim = srp.Exchange(POOL).claim("x", Verifier("x").challenge, NOW)

    assert claim["TIMESTAMP"] == "Tue Nov 3 09:05:07 UTC 2026"


def test_no_two_exchanges_are_alike_and_the_secret_is_not_shown() -> None:
    one, other = srp.Exchange(POOL), srp.Exchange(POOL)

    assert one.public != other.public
    assert str(one.secret) not in repr(one)


class UserNotFoundError(Exception):
    pass


class ApiErrors:
    UserNotFoundException = UserNotFoundError


@dataclass
class Pool:
    """Cognito's admin API, as far as accounts are made with it. refuses: operations that are not allowed."""

    users: list[str] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    exceptions: type[ApiErrors] = ApiErrors
    closed: bool = False
    born: datetime = NOW

    def get_paginator(self, operation: str) -> Pool:
        assert operation == "list_users"
        return self

    def paginate(self, *, Filter: str, **_: object) -> list[dict[str, Any]]:  # noqa: N803 - boto3's names
        self._meet("ListUsers")
        assert Filter == 'email ^= "manuel-suite-"'
        users = [
            {"UserCreateDate": self.born, "Attributes": [{"Name": "email", "Value": email}]} for email in self.users
        ]
        return [{"Users": users[:1]}, {"Users": users[1:]}]

    def _meet(self, operation: str) -> None:
        if operation in self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not allowed"}}, operation)

    def admin_create_user(self, *, Username: str, **_: str) -> None:  # noqa: N803 - boto3's names
        self._meet("AdminCreateUser")
        self.users.append(Username)

    def create_user_pool(self, **_: object) -> None:
        self._meet("CreateUserPool")

    def admin_set_user_password(self, **_: object) -> None:
        self._meet("AdminSetUserPassword")

    def admin_initiate_auth(self, **_: object) -> dict[str, Any]:
        token = "e30.eyJzdWIiOiJtZSJ9.c2ln"
        return {"AuthenticationResult": {"IdToken": token, "AccessToken": token, "RefreshToken": "r"}}

    def admin_delete_user(self, *, Username: str, **_: str) -> None:  # noqa: N803
        self._meet("AdminDeleteUser")
        if Username not in self.users:
            raise UserNotFoundError
        self.users.remove(Username)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def pool() -> Pool:
    return Pool(["person@example.com"])


@pytest.fixture
def accounts(pool: Pool, config: Config) -> Accounts:
    return Accounts(replace(config, make_users=True), public=Pool(), admin=pool)


def test_an_account_that_was_made_is_signed_in_and_bears_our_mark(accounts: Accounts, pool: Pool) -> None:
    account = accounts.make()

    assert (account.made, account.sub) == (True, "me")
    assert account.email.startswith(PREFIX)
    assert pool.users == ["person@example.com", account.email]
    assert account.password not in repr(account)


def test_closing_deletes_every_account_that_was_made_and_no_other(accounts: Accounts, pool: Pool) -> None:
    forgotten = accounts.make()
    accounts.make()
    accounts.forget(forgotten)
    assert forgotten.email not in pool.users

    accounts.close()

    assert pool.users == ["person@example.com"]
    assert (accounts.leftovers, pool.closed) == ([], True)


def test_an_account_that_is_gone_already_is_no_trouble(accounts: Accounts, pool: Pool) -> None:
    pool.users.remove(accounts.make().email)

    accounts.close()

    assert accounts.leftovers == []


def test_an_account_that_could_not_be_finished_is_deleted_too(accounts: Accounts, pool: Pool) -> None:
    pool.refuses = {"AdminSetUserPassword"}

    with pytest.raises(ClientError):
        accounts.make()
    accounts.close()

    assert pool.users == ["person@example.com"]


def test_an_account_that_cannot_be_deleted_is_told_and_the_others_are_deleted(accounts: Accounts, pool: Pool) -> None:
    account = accounts.make()
    pool.refuses = {"AdminDeleteUser"}

    accounts.close()

    assert [account.email in one for one in accounts.leftovers] == [True]


def test_an_account_of_somebody_else_is_never_deleted(accounts: Accounts, pool: Pool) -> None:
    account = accounts.make()

    accounts.forget(replace(account, email="person@example.com"))

    assert "person@example.com" in pool.users


def test_what_a_killed_run_left_is_found_after_some_hours_and_nobody_elses(accounts: Accounts, pool: Pool) -> None:
    left = f"{PREFIX}1@example.com"
    pool.users = ["person@example.com", left]

    assert accounts.stale(NOW + timedelta(hours=5)) == []
    assert accounts.stale(NOW + timedelta(hours=7)) == [left]
    accounts.forget(accounts.entered(left))
    assert pool.users == ["person@example.com"]


def test_what_the_credentials_do_not_allow_is_told_as_that(accounts: Accounts, pool: Pool) -> None:
    pool.refuses = {"ListUsers", "CreateUserPool"}

    with pytest.raises(NotAllowedError, match="ListUsers"):
        accounts.stale(NOW)
    with pytest.raises(NotAllowedError, match="CreateUserPool"):
        accounts.foreign()


def test_who_may_not_make_users_looks_for_none(config: Config) -> None:
    assert Accounts(config, public=Pool()).stale(NOW) == []
