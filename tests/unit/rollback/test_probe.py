"""The client that counts who answers."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from manuel_release.observe.probe import Probe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Site:
    """Answers every request as `release` with `status`, and counts them."""

    def __init__(self) -> None:
        self.release, self.status, self.asked = "r-3", 200, 0
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked += 1
                self.send_response(site.status)
                self.send_header("X-Manuel-Release", site.release)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self.server.server_port}/health"

    def probe(self, **given: float) -> Probe:
        return Probe(self.url, **{"per_second": 200, "seconds": 20, "began": time.monotonic(), **given})


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    made.thread.start()
    yield made
    made.server.shutdown()
    made.thread.join()
    made.server.server_close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_ends_when_a_hundred_answers_in_a_row_came_from_others(site: Site) -> None:
    probe = site.probe()
    probe.start()
    until(lambda: site.asked > 5)
    site.release = "r-2"
    probe.restored("r-3")

    counted = probe.wait()

    assert counted.bad >= 5
    assert counted.good >= 100
    assert counted.failed == 0
    assert counted.quiet
    assert counted.last_bad_seconds is not None
    assert counted.last_bad_seconds > 0


def test_answers_from_before_do_not_make_it_quiet(site: Site) -> None:
    site.release = "r-2"
    probe = site.probe(seconds=3.0)
    probe.start()
    until(lambda: site.asked > 20)
    site.release = "r-3"
    probe.restored("r-3")

    counted = probe.wait()

    assert not counted.quiet
    assert counted.good >= 20


def test_failures_are_neither_good_nor_a_reason_to_be_sure(site: Site) -> None:
    site.release, site.status = "", 500
    probe = site.probe(seconds=1.0)
    probe.start()
    probe.restored("r-3")

    counted = probe.wait()

    assert (counted.bad, counted.good, counted.quiet, counted.last_bad_seconds) == (0, 0, False, None)
    assert counted.failed > 10


def test_nobody_at_the_url_is_counted_as_failed_and_ends_in_time() -> None:
    probe = Probe("http://127.0.0.1:9/health", per_second=50, seconds=0.5, began=time.monotonic())
    probe.start()
    probe.restored("r-3")

    counted = probe.wait()

    assert counted.failed > 0
    assert counted.good == 0


def test_a_probe_can_be_stopped(site: Site) -> None:
    probe = site.probe()
    probe.start()
    until(lambda: site.asked > 2)

    probe.stop()

    asked = site.asked
    time.sleep(0.1)
    assert site.asked == asked
