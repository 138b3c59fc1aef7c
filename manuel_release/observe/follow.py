"""Look again and again until there is something to say; no screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.errors import AccessError, ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from manuel_release.model.canary import CanaryStatus
    from manuel_release.observe.canary import CanaryObserver

SHORTEST_PAUSE_SECONDS = 0.5
TROUBLES = 5
"""So many looks may fail in a row; AWS slows accounts down, and networks come and go."""
TROUBLE_PAUSE_SECONDS = 5.0


def follow(
    observer: CanaryObserver,
    until: Callable[[], datetime],
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    trouble: Callable[[str], None],
    *,
    least: Callable[[], datetime] | None = None,
) -> Iterator[CanaryStatus]:
    """Every look at a canary, until it is decided or the time is over; the last one is what is known then.

    `until` says when that is, and is asked again at every look: somebody may have extended it. `trouble` is told what
    went wrong with a look that is tried again. `least` says until when a canary that is good is looked at all the same.
    Raises AccessError at once, and any other ReleaseError when five looks in a row failed.
    """
    failed = 0
    while True:
        try:
            status = observer.look(now())
        except AccessError:
            raise
        except ReleaseError as error:
            failed += 1
            if failed >= TROUBLES or now() >= until():
                raise
            trouble(error.message)
            sleep(TROUBLE_PAUSE_SECONDS)
            continue
        failed = 0
        yield status
        end = until()
        if now() >= end or (status.decided and not (status.word == "good" and least is not None and now() < least())):
            return
        pause = (min(status.next_look_at, end) - now()).total_seconds()
        sleep(max(SHORTEST_PAUSE_SECONDS, pause))
