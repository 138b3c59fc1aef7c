"""A client of the public URL that counts who answers while traffic is taken back."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from manuel_release.model.rollback import Counted
from manuel_release.observe.asking import REQUEST_HEADERS, REQUEST_SECONDS, released_by

if TYPE_CHECKING:
    from collections.abc import Callable

ROW = 100
"""So many answers in a row of other releases: one with 10 % of the traffic stays away that long by luck once in
38,000 times."""
ROW_SECONDS = 2.0


@dataclass(frozen=True)
class _Seen:
    at: float
    release: str
    ok: bool


class Probe:
    """Asks one URL at a steady pace, on one connection, in a thread of its own."""

    def __init__(
        self,
        url: str,
        *,
        per_second: float,
        seconds: float,
        began: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is asked before `start`.

        Args:
            url: what is asked for.
            per_second: how often.
            seconds: for how long at the most after `restored`, and altogether when that never comes.
            began: the key press, in the time of `clock`.
            clock: tells seconds.
        """
        self._url, self._pause, self._seconds, self._began, self._clock = url, 1 / per_second, seconds, began, clock
        self._seen: list[_Seen] = []
        self._bad: str | None = None
        self._restored_at: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probe", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def restored(self, bad: str | None) -> None:
        """Traffic is back: from now on it is waited for the last answer of `bad`."""
        self._bad, self._restored_at = bad, self._clock()

    def wait(self) -> Counted:
        """What was counted, once the bad release has been quiet for long enough or the time is up."""
        self._thread.join()
        return self.counted()

    def stop(self) -> None:
        """Ask no more."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def counted(self) -> Counted:
        """What was counted so far."""
        seen, bad = tuple(self._seen), self._bad
        theirs = [one.at for one in seen if bad and one.release == bad]
        return Counted(
            bad=len(theirs),
            good=sum(1 for one in seen if one.ok and one.release != bad),
            failed=sum(1 for one in seen if not one.ok and one.release != bad),
            last_bad_seconds=round(max(theirs) - self._began, 3) if theirs else None,
            quiet=self._quiet(),
        )

    def _quiet(self) -> bool:
        if self._restored_at is None:
            return False
        row: list[float] = []
        for one in reversed(self._seen):
            if one.at < self._restored_at or (self._bad and one.release == self._bad):
                break
            if one.ok:
                row.append(one.at)
        return len(row) >= ROW and row[0] - row[-1] >= ROW_SECONDS

    def _run(self) -> None:
        connection: http.client.HTTPConnection | None = None
        where = urlsplit(self._url)
        begun = self._clock()
        try:
            while not self._over.is_set() and not self._quiet() and self._clock() - self._since(begun) < self._seconds:
                asked = self._clock()
                connection = connection or _connection(where.scheme, where.netloc)
                seen = self._ask(connection, where.path)
                if seen is None:
                    connection.close()
                    connection = None
                self._seen.append(seen or _Seen(self._clock(), "", ok=False))
                self._over.wait(max(0.0, self._pause - (self._clock() - asked)))
        finally:
            if connection is not None:
                connection.close()

    def _since(self, begun: float) -> float:
        return self._restored_at if self._restored_at is not None else begun

    def _ask(self, connection: http.client.HTTPConnection, path: str) -> _Seen | None:
        """One answer; None when there was none."""
        try:
            connection.request("GET", path, headers=REQUEST_HEADERS)
            with connection.getresponse() as answer:
                answer.read()
                at = self._clock()
                return _Seen(at, released_by(answer.headers), answer.status < 500)
        except (OSError, http.client.HTTPException):
            return None


def _connection(scheme: str, host: str) -> http.client.HTTPConnection:
    make = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    return make(host, timeout=REQUEST_SECONDS)
