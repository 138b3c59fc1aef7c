"""Requests go out as they are, and everything that is answered is noted."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from integration.suites.accounts import Account, claims, with_claims
from integration.suites.client import Client, ReadOnlyError
from integration.suites.coverage import Exercised
from integration.suites.person import Person, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.suites.contract import Contract

TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSIsImV4cCI6MX0.c2ln"
ACCOUNT = Account("a@example.com", "p", made=True, id_token=TOKEN, access_token="a", refresh_token="r")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    received: list[tuple[str, str, list[tuple[str, str]], bytes]]
    answers: list[tuple[int, dict[str, str], Any]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.received.append((self.command, self.path, self.headers.items(), body))
        status, headers, answer = self.server.answers.pop(0) if self.server.answers else (200, {}, {})
        content = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), "X-Manuel-Release": "r-7", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = do_BREW = _any  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.received, made.answers = [], []
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def client(server: Server, contract: Contract) -> Client:
    return Client(f"http://127.0.0.1:{server.server_address[1]}/dev", Exercised(contract))


def test_a_path_and_a_method_are_sent_literally(client: Client, server: Server) -> None:
    client.send("BREW", "/api/manuals/..%2f..%2fetc?x=%00")

    assert server.received[0][:2] == ("BREW", "/dev/api/manuals/..%2f..%2fetc?x=%00")


def test_a_header_may_come_twice(client: Client, server: Server) -> None:
    client.send("GET", "/api/usage", headers=[("Authorization", "a"), ("Authorization", "b")])

    assert [value for name, value in server.received[0][2] if name == "Authorization"] == ["a", "b"]


def test_a_body_is_sent_as_json_or_as_it_is(client: Client, server: Server) -> None:
    client.send("POST", "/api/query", body={"question": "ü"})
    client.send("POST", "/api/query", data=b"\xff{", headers=[("Content-Type", "text/plain")])

    assert json.loads(server.received[0][3]) == {"question": "ü"}
    assert dict(server.received[0][2])["Content-Type"] == "application/json"
    assert server.received[1][3] == b"\xff{"
    assert dict(server.received[1][2])["Content-Type"] == "text/plain"


def test_every_answer_is_noted_under_its_route(client: Client, server: Server) -> None:
    error = {"error": {"code": "not_found", "message": "m", "request_id": "i"}}
    server.answers = [(404, {}, error), (200, {}, {})]

    reply = client.send("GET", "/api/manuals/abc?x=1")
    client.send("GET", "/health")

    assert (reply.status, reply.code, reply.release) == (404, "not_found", "r-7")
    assert {str(answer) for answer in client.exercised.answers} == {
        "GET /api/manuals/{manual_id} -> 404 not_found",
        "GET /health -> 200",
    }
    assert client.exercised.releases == {"r-7": 2}


def test_where_nothing_may_be_written_a_signed_in_request_that_could_is_not_sent(
    client: Client, server: Server
) -> None:
    reading = Client(client.url, client.exercised, read_only=True)

    for method in ("POST", "DELETE", "PUT"):
        with pytest.raises(ReadOnlyError):
            reading.send(method, "/api/query", token=TOKEN)
    assert server.received == []
    reading.send("GET", "/api/usage", token=TOKEN)
    reading.send("POST", "/api/query")  # without a token it is refused anyway
    assert len(server.received) == 2


def test_no_answer_is_an_error_and_not_an_answer(contract: Contract) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with pytest.raises(OSError, match="refused"):
        Client(f"http://127.0.0.1:{port}/dev", Exercised(contract)).send("GET", "/health")


def test_a_patient_person_waits_as_told_and_an_impatient_one_sees_the_refusal(client: Client, server: Server) -> None:
    refusal = (429, {"Retry-After": "0"}, {"error": {"code": "too_many_requests", "message": "m", "request_id": "i"}})
    server.answers = [refusal, refusal, (200, {}, {}), refusal]

    patient = Person(client, ACCOUNT, 1.0).ask("GET", "/api/usage")
    impatient = Person(client, ACCOUNT, 1.0, impatient=True).ask("GET", "/api/usage")

    assert (patient.status, impatient.status) == (200, 429)
    assert len(server.received) == 4


def test_a_used_up_quota_is_not_waited_for(client: Client, server: Server) -> None:
    server.answers = [(429, {"Retry-After": "9999"}, {"error": {"code": "quota_exceeded"}})]

    assert Person(client, ACCOUNT, 1.0).query("x").code == "quota_exceeded"


def test_tidying_deletes_what_a_person_uploaded_and_keeps_what_was_there(client: Client, server: Server) -> None:
    listing = {"manuals": [{"manual_id": "old"}, {"manual_id": "new"}, {"manual_id": "stuck"}], "next_cursor": None}
    server.answers = [(200, {}, listing), (204, {}, {}), (500, {}, {})]

    left = Person(client, ACCOUNT, 1.0).tidy(frozenset({"old"}))

    assert [path for method, path, _, _ in server.received if method == "DELETE"] == [
        "/dev/api/manuals/new",
        "/dev/api/manuals/stuck",
    ]
    assert left == ["manual stuck of a@example.com: 500"]


def test_a_person_who_got_permission_to_upload_has_something_to_tidy_up(client: Client, server: Server) -> None:
    server.answers = [(400, {}, {}), (201, {}, {})]
    person = Person(client, ACCOUNT, 1.0)

    person.ask("POST", "/api/manuals/upload", {})
    assert not person.uploads
    person.ask("POST", "/api/manuals/upload", {})
    assert person.uploads


def test_a_token_can_be_made_to_say_something_else_under_its_old_signature() -> None:
    changed = with_claims(TOKEN, sub="somebody-else")

    assert claims(changed) == {"sub": "somebody-else", "exp": 1}
    assert changed.split(".")[2] == TOKEN.split(".")[2]
    assert ACCOUNT.sub == "me"


def test_waiting_ends_with_the_last_answer() -> None:
    assert until(lambda: 0, 0.0) == 0
    assert until(lambda: "yes", 0.0) == "yes"
