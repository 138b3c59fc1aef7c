"""Which tokens open the API, and which do not."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING

import pytest
from integration.suites import promises
from integration.suites.accounts import NotAllowedError, with_claims

if TYPE_CHECKING:
    from integration.suites.client import Client
    from integration.suites.contract import Contract
    from integration.suites.person import Person
    from integration.suites.session import Session

MANUAL = "0" * 32


def path_of(path: str) -> str:
    return path.replace("{manual_id}", MANUAL)


@pytest.mark.smoke
def test_every_route_but_health_needs_a_token(client: Client, contract: Contract) -> None:
    assert set(contract.operations) - set(contract.signed_in) == {("GET", "/health")}
    for method, path in contract.signed_in:
        reply = client.send(method, path_of(path), body={} if method == "POST" else None)
        promises.refused(reply, 401, "unauthorized")
        promises.documented(reply, contract)


@pytest.mark.smoke
@pytest.mark.parametrize(
    "token",
    [
        "x",
        "Bearer",
        "null",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.AAAA",
        "Basic dXNlcjpwYXNzd29yZA==",
        "A" * 4000,
    ],
)
def test_what_is_no_token_opens_nothing(client: Client, token: str) -> None:
    reply = client.send("GET", "/api/usage", headers=[("Authorization", token)])

    promises.refused(reply, 401, "unauthorized")


@pytest.mark.smoke
def test_a_token_in_the_query_or_a_cookie_opens_nothing(client: Client, person: Person) -> None:
    token = person.account.id_token

    in_query = client.send("GET", f"/api/usage?Authorization={token}")
    in_cookie = client.send("GET", "/api/usage", headers=[("Cookie", f"Authorization={token}")])

    promises.refused(in_query, 401, "unauthorized")
    promises.refused(in_cookie, 401, "unauthorized")


@pytest.mark.basic
def test_a_changed_token_opens_nothing(client: Client, person: Person, other: Person) -> None:
    token = person.account.id_token
    header, payload, signature = token.split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    changed = {
        "somebody else's id": with_claims(token, sub=other.account.sub),
        "a longer life": with_claims(token, exp=int(time.time()) + 10**6),
        "another pool": with_claims(token, iss="https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_000000000"),
        "somebody else's signature": f"{header}.{payload}.{other.account.id_token.split('.')[2]}",
        "no signature": f"{header}.{payload}.",
        "no algorithm": f"{none}.{payload}.",
        "half a signature": f"{header}.{payload}.{signature[: len(signature) // 2]}",
        "another letter in it": token[:-10] + ("A" if token[-10] != "A" else "B") + token[-9:],
    }

    opened = {
        what: reply.status
        for what, made in changed.items()
        if (reply := client.send("GET", "/api/usage", token=made)).status != 401
    }

    assert not opened


@pytest.mark.basic
def test_an_expired_token_opens_nothing(client: Client, person: Person) -> None:
    """Cognito gives no token that lives less than five minutes; one that says it is over is refused either way."""
    over = with_claims(person.account.id_token, exp=int(time.time()) - 1, iat=int(time.time()) - 3600)

    promises.refused(client.send("GET", "/api/usage", token=over), 401, "unauthorized")


@pytest.mark.basic
def test_an_access_token_opens_nothing(client: Client, person: Person) -> None:
    """The API's methods ask for no scopes, so API Gateway takes identity tokens only.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enable-cognito-user-pool.html
    """
    promises.refused(client.send("GET", "/api/usage", token=person.account.access_token), 401, "unauthorized")


def test_a_token_of_another_user_pool_opens_nothing(client: Client, suites: Session) -> None:
    if not suites.config.make_users:
        pytest.skip("no user pool may be made here")

    try:
        token = suites.accounts.foreign()
    except NotAllowedError as error:
        pytest.skip(str(error))

    promises.refused(client.send("GET", "/api/usage", token=token), 401, "unauthorized")
