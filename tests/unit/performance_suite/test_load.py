"""The load itself, against a small server: its rate does not follow the answers, and what is wrong has a reason."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from integration.performance import run
from integration.performance.plans import SCENARIOS, Profile, plan
from tests_root import ROOT

from manuel_release import programs

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER_SECONDS = 2.0  # of the slow route
ANSWERS: dict[str, tuple[int, Any]] = {
    "/api/query": (503, {"error": {"code": "dependency_unavailable"}}),
    "/api/manuals": (200, {"manuals": []}),
    "/api/usage": (200, {"daily": {}}),  # must not be empty
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    seen: list[tuple[str, str]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append((self.path, self.headers["Authorization"]))
        if self.path == "/api/manuals":
            time.sleep(ANSWER_SECONDS)
        status, body = ANSWERS[self.path]
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("X-Manuel-Release", "r-4")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST  # noqa: N815 - what http.server calls it

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Handler.seen = []
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def loaded(url: str, rate: float, warm_up: float, seconds: float) -> dict[str, Any]:
    profile = Profile("smoke", rate=rate, questions=rate / 3, warm_up=warm_up, measured=seconds)
    done = subprocess.run(
        [str(programs.program("integration", "python")), str(ROOT / "tests/integration/performance/load.py")],
        input=json.dumps(plan(profile, SCENARIOS, url, ["a", "b"])),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Traceback" not in done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_slow_answers_do_not_slow_the_requests_down(server: ThreadingHTTPServer) -> None:
    told = loaded(f"http://127.0.0.1:{server.server_port}", rate=30, warm_up=0.5, seconds=2)
    found = told["scenarios"]

    # One after the other, a request that takes as long as the run would have been sent once or twice.
    assert len(found["manuals"]["milliseconds"]) == 20
    assert min(found["manuals"]["milliseconds"]) >= 1000 * ANSWER_SECONDS
    assert found["manuals"]["errors"] == {}
    assert found["query"]["errors"] == {"503 dependency_unavailable": len(found["query"]["milliseconds"])}
    assert found["usage"]["errors"] == {"200 without daily": len(found["usage"]["milliseconds"])}
    assert found["query"]["warm_up"] == sum(found["query"]["warm_up_errors"].values()) == 5
    assert told["unfinished"] == 0
    assert told["releases"] == {"r-4": len(Handler.seen)}
    assert {person for path, person in Handler.seen if path == "/api/query"} == {"a", "b"}


def test_nobody_there_is_an_error_of_every_request() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as taken:
        url = f"http://127.0.0.1:{taken.server_port}"
    found = loaded(url, rate=30, warm_up=0, seconds=1)["scenarios"]["usage"]

    assert found["milliseconds"]
    assert found["errors"] == {"no answer: ConnectionRefusedError": len(found["milliseconds"])}


def test_making_load_changes_nothing_in_the_process_that_asks_for_it() -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; from integration.performance import run; "
        "assert not {'locust', 'gevent'} & set(sys.modules), 'gevent got in'"
    )
    python = str(programs.program("integration", "python"))

    subprocess.run([python, "-c", code, str(ROOT), str(ROOT / "tests")], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--environment", "dev", "--rate", "0"), "--rate must be more than 0"),
        (("--environment", "dev", "--profile", "huge"), "--profile"),
        (("--environment", "moon"), "--environment must be one of"),
    ],
)
def test_what_cannot_be_run_is_told_with_exit_code_2(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = run.main(arguments)
    except SystemExit as ended:
        code = ended.code

    assert code == 2
    assert told in capsys.readouterr().err
