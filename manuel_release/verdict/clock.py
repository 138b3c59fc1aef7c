"""From the times that callers give to the beginning and end of each interval."""

from __future__ import annotations

DEFAULT_SECONDS = 10.0


class Clock:
    """Reads `t` as an interval's end, or as its beginning if the first one is 0 (nothing can have ended at 0).

    The length is the distance to the interval before; the first one's is the distance from 0, or 10 s.
    """

    __slots__ = ("_last", "_seconds", "_stamps_begin")

    def __init__(self) -> None:
        self._last: float | None = None
        self._seconds = DEFAULT_SECONDS
        self._stamps_begin = False

    def interval(self, t: float) -> tuple[float, float]:
        """Beginning and end in seconds of the interval stamped `t`; raises ValueError when time runs backwards."""
        if self._last is None:
            self._stamps_begin = t <= 0.0
        elif t <= self._last:
            message = f"time runs backwards: {t} after {self._last}"
            raise ValueError(message)
        else:
            self._seconds = t - self._last
        self._last = t
        return (t, t + self._seconds) if self._stamps_begin else (t - self._seconds, t)
