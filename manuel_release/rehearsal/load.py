"""Users: a process that asks the API at a fixed rate, whether answers come or not (an open loop), and counts them.

    python -m manuel_release.rehearsal.load PLAN ANSWERS

reads one JSON object (`url`, `tokens`, `per_second`, `seed`, `seconds` or null, `tied`) from the file PLAN and appends
one JSON line for every second to the file ANSWERS: when, who answered, how. It ends at the time named, on SIGTERM, and,
when it is tied, as soon as its standard input closes, else when nothing listens any more where it asks.
"""

from __future__ import annotations

import http.client
import json
import queue
import random
import signal
import socket
import sys
import threading
import time
import urllib.parse
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from manuel_release.observe.asking import released_by

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUTES = {"/api/usage": 6, "/api/manuals": 2, "/health": 2}
"""What is asked, and how often among ten requests."""
WORKERS = 24
ANSWER_SECONDS = 20.0
NO_ANSWER = "no answer"
LOOK_SECONDS = 5.0
"""How often an untied one looks whether there is still somebody to ask."""


@dataclass(frozen=True)
class Plan:
    """What to ask: `tokens` are users, taken by lot; `per_second` requests are sent; `seconds` None: until stopped."""

    url: str
    tokens: tuple[str, ...]
    per_second: float
    seed: int = 1
    seconds: float | None = None


@dataclass
class Counts:
    """Answers by second since the start, by (release, status); filled by many threads."""

    by_second: dict[int, Counter[tuple[str, str]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, second: int, release: str, status: str) -> None:
        """One answer."""
        with self.lock:
            self.by_second.setdefault(second, Counter())[release, status] += 1

    def take(self, before: int) -> Iterator[tuple[int, Counter[tuple[str, str]]]]:
        """The seconds before this one that were not taken yet, oldest first."""
        with self.lock:
            ready = sorted(second for second in self.by_second if second < before)
            found = [(second, self.by_second.pop(second)) for second in ready]
        yield from found


class Visitor(threading.Thread):
    """Takes requests from the queue and asks them on a connection of its own, which is kept."""

    def __init__(self, plan: Plan, work: queue.Queue[tuple[str, str] | None], counts: Counts, began: float) -> None:
        super().__init__(daemon=True, name="visitor")
        self._plan, self._work, self._counts, self._began = plan, work, counts, began
        self._address = urllib.parse.urlsplit(plan.url)
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        """Ask until there is no more work."""
        while (asked := self._work.get()) is not None:
            release, status = self._ask(*asked)
            self._counts.add(int(time.monotonic() - self._began), release, status)
        self._close()

    def _ask(self, path: str, token: str) -> tuple[str, str]:
        headers = {"Accept": "application/json"} | ({"Authorization": token} if token else {})
        for again in (True, False):
            fresh = self._connection is None
            try:
                connection = self._open()
                connection.request("GET", self._address.path + path, headers=headers)
                with connection.getresponse() as response:
                    response.read()
                    return released_by(response.headers) or "nobody", str(response.status)
            except (OSError, http.client.HTTPException):
                self._close()
                if fresh or not again:  # a kept connection may have been closed meanwhile: that is nobody's failure
                    break
        return NO_ANSWER, NO_ANSWER

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._address.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(self._address.netloc, timeout=ANSWER_SECONDS)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def requests(plan: Plan) -> Iterator[tuple[float, str, str]]:
    """What is asked when: seconds since the start, path, token; the same for the same seed."""
    lot = random.Random(plan.seed)  # noqa: S311 - a lot, not a secret
    paths, weights = list(ROUTES), list(ROUTES.values())
    number = 0
    while plan.seconds is None or number < plan.seconds * plan.per_second:
        path = lot.choices(paths, weights)[0]
        yield number / plan.per_second, path, lot.choice(plan.tokens) if plan.tokens and path != "/health" else ""
        number += 1


def run(plan: Plan, out: TextIO, stopped: threading.Event) -> None:
    """Ask as planned; a line is written when its second is over and its late answers have had a second more."""
    counts, work, began = Counts(), queue.Queue[tuple[str, str] | None](), time.monotonic()
    visitors = [Visitor(plan, work, counts, began) for _ in range(WORKERS)]
    for visitor in visitors:
        visitor.start()
    epoch = time.time()
    for due, path, token in requests(plan):
        if stopped.wait(max(0.0, began + due - time.monotonic())):
            break
        work.put((path, token))
        _write(counts, int(time.monotonic() - began), epoch, out)
    for _ in visitors:
        work.put(None)
    for visitor in visitors:
        visitor.join(ANSWER_SECONDS + 1.0)
    _write(counts, sys.maxsize, epoch, out)


def _write(counts: Counts, before: int, epoch: float, out: TextIO) -> None:
    for second, found in counts.take(before):
        answers: dict[str, dict[str, int]] = {}
        for (release, status), count in sorted(found.items()):
            answers.setdefault(release, {})[status] = count
        out.write(json.dumps({"at": epoch + second, "answers": answers}) + "\n")
        out.flush()


def main() -> None:
    """Read the plan, ask, and stop when nobody wants it any more."""
    given: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    tied = given.pop("tied")
    plan = Plan(**{**given, "tokens": tuple(given["tokens"])})
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())

    def until_closed() -> None:
        sys.stdin.read()
        stopped.set()

    def until_gone() -> None:
        while _listens(plan.url) or _listens(plan.url):
            if stopped.wait(LOOK_SECONDS):
                return
        stopped.set()

    threading.Thread(target=until_closed if tied else until_gone, daemon=True).start()
    with Path(sys.argv[2]).open("a", encoding="utf-8") as out:
        run(plan, out, stopped)


def _listens(url: str) -> bool:
    address = urllib.parse.urlsplit(url)
    try:
        with socket.create_connection((address.hostname or "", address.port or 443), timeout=LOOK_SECONDS):
            return True
    except ConnectionRefusedError:
        return False
    except OSError:  # busy, or something else that passes
        return True


if __name__ == "__main__":
    main()
