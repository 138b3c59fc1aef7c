"""Signing in, staying signed in, signing out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from integration.suites import promises
from integration.suites.accounts import SignInError, claims

if TYPE_CHECKING:
    from integration.suites.client import Client
    from integration.suites.config import Config
    from integration.suites.person import Person
    from integration.suites.session import Session


@pytest.mark.smoke
def test_who_is_signed_in_may_use_the_service(person: Person, config: Config) -> None:
    found = person.account.claims

    promises.well(person.ask("GET", "/api/usage"), 200)
    assert found["token_use"] == "id"
    assert found["aud"] == config.client_id
    assert str(found["iss"]).endswith(f"/{config.user_pool_id}")
    assert 300 <= found["exp"] - found["iat"] <= 86_400


@pytest.mark.basic
def test_the_app_signs_in_without_sending_the_password(client: Client, person: Person, suites: Session) -> None:
    again = suites.accounts.sign_in(person.account.email, person.account.password)

    assert again.sub == person.account.sub
    promises.well(client.send("GET", "/api/usage", token=again.id_token), 200)


@pytest.mark.basic
def test_a_wrong_password_does_not_sign_in(person: Person, suites: Session) -> None:
    with pytest.raises(SignInError):
        suites.accounts.sign_in(person.account.email, f"{person.account.password}!")


@pytest.mark.basic
def test_nobody_learns_whether_an_address_has_an_account(person: Person, suites: Session) -> None:
    with pytest.raises(SignInError) as known:
        suites.accounts.sign_in(person.account.email, "Wrong-password-1")
    with pytest.raises(SignInError) as unknown:
        suites.accounts.sign_in("nobody-at-all@example.com", "Wrong-password-1")

    assert "UserNotFound" not in str(unknown.value)
    assert "UserNotFound" not in str(known.value)


@pytest.mark.basic
def test_who_stays_signed_in_gets_new_tokens_that_work(client: Client, person: Person, suites: Session) -> None:
    fresh = suites.accounts.refreshed(person.account)

    assert claims(fresh.id_token)["sub"] == person.account.sub
    promises.well(client.send("GET", "/api/usage", token=fresh.id_token), 200)


def test_who_signs_out_gets_no_new_tokens(suites: Session, person: Person) -> None:
    if not person.account.made:
        pytest.skip("a given account stays signed in")
    suites.accounts.revoke(person.account)

    with pytest.raises(SignInError):
        suites.accounts.refreshed(person.account)


def test_a_deleted_account_cannot_sign_in(suites: Session) -> None:
    if not suites.config.make_users:
        pytest.skip("no account may be made here")
    account = suites.accounts.make()
    suites.accounts.forget(account)

    with pytest.raises(SignInError):
        suites.accounts.sign_in(account.email, account.password)
