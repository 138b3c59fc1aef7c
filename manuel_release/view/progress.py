"""How a running command looks: a moving line on a terminal, few lines in a pipe, a sign of life in a build's log."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from manuel_release.view import symbols, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    from manuel_release.model.progress import Progress, StepResult
    from manuel_release.view.console import Screen

SIGN_OF_LIFE = "sign of life"
SIGN_OF_LIFE_SECONDS = 30.0
_AROUND = 5  # the spinner, the spaces, and a column that stays free so that no terminal wraps


def progress_for(screen: Screen) -> Progress:
    """The progress that suits the screen: none with --quiet, moving on a terminal, lines elsewhere."""
    if screen.quiet:
        return NoProgress()
    if screen.live:
        return LiveProgress(screen)
    return CiProgress(screen) if screen.ci else LineProgress(screen)


def tell_end(screen: Screen, result: StepResult) -> None:
    """Leave the line that stays of a step: `✔ Update the stack: done, 42 s (12 resources)`."""
    mark = symbols.step(result.status)
    took = "" if result.status == "skipped" else f", {words.duration(result.seconds)}"
    detail = f" ({result.detail})" if result.detail else ""
    sign = mark.sign(screen.ascii_only)
    screen.line(f" {result.title}: {mark.word}{took}{detail}", lead=sign, colour=mark.colour)


class NoProgress:
    """Says nothing."""

    def start(self, title: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def end(self, result: StepResult) -> None:
        """Nothing."""


class LineProgress:
    """One line when a step begins and one when it ends."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def start(self, title: str) -> None:
        """Name the step."""
        self._screen.line(f"{title} ...")

    def note(self, text: str) -> None:
        """Nothing: a log has no use for every resource."""

    def end(self, result: StepResult) -> None:
        """Say how it ended and how long it took."""
        tell_end(self._screen, result)


class CiProgress(LineProgress):
    """Lines, and one more every 30 s of a long step, so that a build service sees that it lives."""

    def __init__(
        self,
        screen: Screen,
        clock: Callable[[], float] = time.monotonic,
        interval_seconds: float = SIGN_OF_LIFE_SECONDS,
    ) -> None:
        super().__init__(screen)
        self._clock = clock
        self._interval = interval_seconds
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._last = ""

    def start(self, title: str) -> None:
        """Name the step and watch over it."""
        self._screen.hold(None, self._stop)
        super().start(title)
        self._last, self._over = "", threading.Event()
        self._thread = threading.Thread(
            target=self._watch, args=(title, self._clock(), self._over), name=SIGN_OF_LIFE, daemon=True
        )
        self._thread.start()

    def note(self, text: str) -> None:
        """Keep it for the next sign of life."""
        self._last = text

    def end(self, result: StepResult) -> None:
        """Say how it ended and how long it took."""
        self._stop()
        self._screen.release()
        super().end(result)

    def _watch(self, title: str, began: float, over: threading.Event) -> None:
        while not over.wait(self._interval):
            last = f" ({self._last})" if self._last else ""
            self._screen.line(f"still {title}, {words.elapsed(self._clock() - began)}{last}")

    def _stop(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None


class LiveProgress:
    """A spinner with a running timer; what happens inside a step scrolls above it."""

    def __init__(self, screen: Screen, clock: Callable[[], float] = time.monotonic) -> None:
        self._screen = screen
        self._clock = clock
        self._console: Console = screen.console(screen.stderr)
        self._live: Live | None = None
        self._spinner: Spinner | None = None
        self._title = ""
        self._began = clock()

    def start(self, title: str) -> None:
        """Begin to turn."""
        from rich.live import Live  # noqa: PLC0415 - only a terminal pays for it
        from rich.spinner import Spinner  # noqa: PLC0415

        self._screen.hold(self._above, self._stop)
        self._title, self._began = title, self._clock()
        self._spinner = Spinner("line" if self._screen.ascii_only else "dots", style="cyan")
        self._live = Live(
            get_renderable=self._line,
            console=self._console,
            transient=True,  # the line of the step's end takes its place
            redirect_stdout=False,
            redirect_stderr=False,
            refresh_per_second=10,
        )
        self._live.start()

    def note(self, text: str) -> None:
        """Print it above the moving line."""
        self._screen.line(f"  {text}", colour="bright_black")

    def end(self, result: StepResult) -> None:
        """Stop turning and leave one line."""
        self._stop()
        self._screen.release()
        tell_end(self._screen, result)

    def _above(self, drawn: Text) -> None:
        self._console.print(drawn, soft_wrap=True)

    def _line(self) -> RenderableType:
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        timer = words.elapsed(self._clock() - self._began)
        title = Text(self._title)
        title.truncate(max(self._console.width - len(timer) - _AROUND, 1), overflow="crop")
        row = Table.grid(padding=(0, 1))
        row.add_row(self._spinner, title, timer)
        return row

    def _stop(self) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()
