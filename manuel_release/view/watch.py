"""A canary that is watched: a screen that is redrawn on a terminal, one JSON line for each interval elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Self

from manuel_release.view.canary import CanaryScreen
from manuel_release.view.canary_json import canary as document

if TYPE_CHECKING:
    from types import TracebackType

    from rich.live import Live

    from manuel_release.model.canary import CanaryStatus
    from manuel_release.view.as_json import Document
    from manuel_release.view.console import Screen


class WatchScreen:
    """Use it as a context manager; the last look stays on the screen."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._live: Live | None = None
        self._judged = -1.0
        self.lines = screen.json_output or screen.ci or not screen.stdout.isatty()

    def __enter__(self) -> Self:
        if not self.lines:
            from rich.live import Live  # noqa: PLC0415 - only a terminal pays for it

            console = self._screen.console(self._screen.stdout)
            self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def look(self, status: CanaryStatus, *, last: bool = False) -> None:
        """Show one look; as a line only when an interval was judged since the last line, or it is the last look."""
        if self._live is not None:
            self._live.update(CanaryScreen(status, watching=not last), refresh=True)
            return
        if not last and status.observed_seconds == self._judged:
            return
        self._judged = status.observed_seconds
        self._screen.stdout.write(json.dumps(document(status)) + "\n")
        self._screen.stdout.flush()

    def line(self, told: Document) -> None:
        """A document of another kind, as a line; nothing on a terminal."""
        if self._live is None:
            self._screen.stdout.write(json.dumps(told) + "\n")
            self._screen.stdout.flush()

    def warn(self, text: str) -> None:
        """Something went wrong that may pass by itself."""
        if self._live is not None:
            self._live.console.print(f"Warning: {text}", soft_wrap=True)
        else:
            self._screen.warn(text)
