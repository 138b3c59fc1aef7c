"""What every answer of the API promises, whatever was asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import jsonschema_rs

if TYPE_CHECKING:
    from integration.suites.client import Reply
    from integration.suites.contract import Contract

INTERNALS = re.compile(r"Traceback|\.py\b|/var/|botocore|boto3|arn:aws|Exception|dynamodb\.|errorMessage|stackTrace")
SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
FIREWALL = 403  # what the web ACL answers, in staging and production


def well(reply: Reply, status: int) -> None:
    """An answer with this status that names its request and its release and is not kept by anybody."""
    assert reply.status == status, reply
    assert reply.header("X-Request-Id"), f"no X-Request-Id: {reply}"
    assert reply.release, f"no X-Manuel-Release: {reply}"
    assert reply.header("Access-Control-Allow-Origin") == "*", f"no CORS header: {reply}"


def documented(reply: Reply, contract: Contract) -> None:
    """A status that the OpenAPI document has for the route, and a body that fits its schema."""
    route = contract.route(reply.method, reply.path.partition("?")[0])
    assert route is not None, f"no such route in the contract: {reply}"
    assert str(reply.status) in contract.operations[route]["responses"], f"not documented: {reply}"
    schema = contract.schema(*route, reply.status)
    if schema is None:
        assert not reply.content, f"a body where none is documented: {reply}"
        return
    assert reply.header("Content-Type").startswith("application/json"), reply
    problems = [
        f"{'/'.join(map(str, error.instance_path)) or 'the body'}: {error.message}"
        for error in jsonschema_rs.validator_for(schema).iter_errors(reply.json)
    ]
    assert not problems, f"{reply}: {'; '.join(problems)}"


def refused(reply: Reply, status: int, code: str) -> None:
    """An error in the API's format, which tells the caller what is wrong and nothing about the service's inside."""
    well(reply, status)
    assert reply.header("Content-Type").startswith("application/json"), reply
    error = reply.json["error"]
    assert set(error) == {"code", "message", "request_id"}, reply
    assert error["code"] == code, reply
    assert error["message"].strip(), reply
    assert error["request_id"] == reply.header("X-Request-Id"), reply
    discreet(reply)
    if status in {429, 503}:
        after = reply.header("Retry-After")
        assert after.isdecimal(), f"Retry-After is {after!r}: {reply}"
        assert int(after) >= 1, f"Retry-After is {after!r}: {reply}"


def harmless(reply: Reply, *statuses: int) -> None:
    """An attack that came to nothing: one of these statuses or the firewall's, never a 5xx, JSON, nothing told."""
    assert reply.status in {*statuses, FIREWALL}, reply
    discreet(reply)
    if reply.content and reply.status != FIREWALL:
        assert reply.header("Content-Type").startswith("application/json"), f"a browser may show this: {reply}"


def discreet(reply: Reply) -> None:
    """No traces, names of modules or resources in the answer."""
    found = INTERNALS.search(reply.text)
    assert found is None, f"tells {found.group()!r}: {reply}" if found else ""
