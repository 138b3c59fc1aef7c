"""From the times that callers give to the beginning and end of each interval."""

from __future__ import annotations

DEFAULT_SECONDS = 10.0


class Clock:
    """Reads `t` as an interval's end, or as its beginning if the first one is 0 (nothing can have ended at 0).

    The length is the distance to the interval before. The first one is as long as those of the warm-up were, but began
    at 0 at the earliest; without warm-up it began at 0, and if it is stamped with its beginning, it is taken for 10 s.
    """

    __slots__ = ("_last", "_seconds", "_stamps_begin", "_warmup")

    def __init__(self) -> None:
        self._last: float | None = None
        self._warmup: float | None = None
        self._seconds: float | None = None
        self._stamps_begin = False

    def warmup(self, t: float) -> None:
        """Take note of an interval before the canary; `t` as for update."""
        if self._warmup is not None and t > self._warmup:
            apart = t - self._warmup
            self._seconds = apart if self._seconds is None else min(self._seconds, apart)
        self._warmup = t

    def interval(self, t: float) -> tuple[float, float]:
        """Beginning and end in seconds of the interval stamped `t`; raises ValueError when time runs backwards."""
        if self._last is None:
            self._stamps_begin = t <= 0.0
            if self._stamps_begin:
                self._seconds = self._seconds or DEFAULT_SECONDS
            else:
                self._seconds = min(self._seconds or t, t)
        elif t <= self._last:
            message = f"time runs backwards: {t} after {self._last}"
            raise ValueError(message)
        else:
            self._seconds = t - self._last
        self._last = t
        return (t, t + self._seconds) if self._stamps_begin else (t - self._seconds, t)
