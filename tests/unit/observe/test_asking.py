"""One request to the public URL, against sockets on this machine."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from manuel_release.observe.asking import Answer, ask, released_by

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def answering(text: str) -> Iterator[str]:
    """The URL of a server that answers one request with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(text.encode())

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/health"
        thread.join()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTTP/1.1 200 OK\r\nX-Manuel-Release: r-7\r\nContent-Length: 0\r\n\r\n", Answer(200, "r-7")),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Answer(200)),
        ("HTTP/1.1 503 No\r\nX-Manuel-Release: r-7\r\nContent-Length: 0\r\n\r\n", Answer(503, "r-7", "HTTP 503")),
    ],
)
def test_any_status_is_an_answer_with_the_release_that_it_names(text: str, expected: Answer) -> None:
    with answering(text) as url:
        assert ask(url, 10.0) == expected


@pytest.mark.parametrize("text", ["this is no HTTP\r\n\r\n", ""])
def test_what_is_no_http_answer_is_a_problem_and_no_crash(text: str) -> None:
    with answering(text) as url:
        answer = ask(url, 10.0)

    assert (answer.status, answer.release) == (0, "")
    assert answer.problem


def test_nobody_there_is_a_problem_with_its_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    answer = ask(f"http://127.0.0.1:{port}/health", 10.0)

    assert answer.status == 0
    assert "refused" in answer.problem


@pytest.mark.parametrize("name", ["X-Manuel-Release", "x-manuel-release", "X-MANUEL-RELEASE"])
def test_the_header_s_case_does_not_matter(name: str) -> None:
    assert released_by({"Content-Type": "application/json", name: "r-7"}) == "r-7"
