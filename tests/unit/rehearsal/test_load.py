"""The rehearsal's users: a fixed rate that slow answers do not slow down, and every answer counted once."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from manuel_release.rehearsal.load import NO_ANSWER, Plan, main, requests
from manuel_release.rehearsal.traffic import Load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Api(BaseHTTPRequestHandler):
    """Answers as r-1; every fourth time with 500, and slowly where the path says so."""

    protocol_version = "HTTP/1.1"
    asked = 0
    lock = threading.Lock()

    def do_GET(self) -> None:
        with Api.lock:
            Api.asked += 1
            number = Api.asked
        if "/slow/" in self.path:
            time.sleep(0.4)
        self.send_response(500 if number % 4 == 0 else 200)
        self.send_header("X-Manuel-Release", "r-1")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    Api.asked = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def total(load: Load) -> Counter[tuple[str, str]]:
    """All answers by (release, status)."""
    return sum((one.answers for one in tuple(load.seconds)), Counter())


def after(load: Load, answers: int, within: float = 30.0) -> None:
    """Return when there were so many."""
    deadline = time.monotonic() + within
    while total(load).total() < answers and time.monotonic() < deadline:
        time.sleep(0.05)


def finished(folder: Path, plan: Plan) -> Load:
    with Load(folder, lambda: plan) as load:
        after(load, round(plan.per_second * (plan.seconds or 0)))
    return load


def failed(load: Load) -> int:
    return sum(second.failed for second in load.seconds)


def test_every_request_is_counted_once_by_release_and_status(tmp_path: Path, url: str) -> None:
    found = finished(tmp_path, Plan(url, ("a", "b"), 40, seconds=1.0))

    assert total(found) == {("r-1", "200"): 30, ("r-1", "500"): 10}
    assert failed(found) == 10


def test_slow_answers_do_not_slow_the_asking_down(tmp_path: Path, url: str) -> None:
    began = time.monotonic()

    found = finished(tmp_path, Plan(f"{url}/slow", (), 20, seconds=2.0))

    assert total(found).total() == 40
    assert time.monotonic() - began < 12  # one after the other they would take 16 s


def test_a_request_without_an_answer_is_counted_as_lost(tmp_path: Path) -> None:
    found = finished(tmp_path, Plan("http://127.0.0.1:9", ("a",), 20, seconds=0.5))

    assert total(found) == {(NO_ANSWER, NO_ANSWER): 10}
    assert failed(found) == 10


def test_it_ends_when_nobody_wants_it_any_more(tmp_path: Path, url: str) -> None:
    with Load(tmp_path, lambda: Plan(url, (), 20)) as load:
        after(load, 5)

    asked = Api.asked
    time.sleep(0.3)
    assert Api.asked == asked
    assert total(load).total() == asked


def test_untied_users_go_on_while_nobody_looks_and_are_found_again(tmp_path: Path, url: str) -> None:
    load = Load(tmp_path, lambda: Plan(url, (), 20), tied=False)
    load.__enter__()
    after(load, 5)
    load.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    seen = total(load).total()

    def nobody() -> Plan:
        raise AssertionError("there are users already")

    with Load(tmp_path, nobody, tied=False) as again:
        after(again, seen + 20)
        assert total(again).total() >= seen + 20

    asked = Api.asked
    time.sleep(0.3)
    assert Api.asked == asked, "they stop when the rehearsal ends by itself"
    assert total(again).total() == asked


def test_untied_users_stop_when_there_is_nobody_to_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plan").write_text(json.dumps({**asdict(Plan("http://127.0.0.1:9", ("a",), 20)), "tied": False}))
    monkeypatch.setattr("sys.argv", ["load", str(tmp_path / "plan"), str(tmp_path / "answers")])

    main()

    assert (tmp_path / "answers").exists()


def test_a_line_that_was_cut_off_is_gone_before_the_next_one_is_written(tmp_path: Path, url: str) -> None:
    (tmp_path / "traffic.jsonl").write_text('{"at": 1.0, "answers": {"r-1": {"200": 3}}}\n{"at": 2.0, "ans')

    found = finished(tmp_path, Plan(url, ("a",), 20, seconds=0.5))

    assert found.seconds[0].at == 1.0
    assert total(found)["r-1", "200"] + total(found)["r-1", "500"] == 13


def test_the_same_seed_asks_the_same() -> None:
    plan = Plan("http://x", ("a", "b", "c"), 10, seed=4, seconds=3.0)

    assert list(requests(plan)) == list(requests(plan))
    assert {token for _, path, token in requests(plan) if path == "/health"} <= {""}
    assert [at for at, _, _ in requests(plan)][:3] == [0.0, 0.1, 0.2]
