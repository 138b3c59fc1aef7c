"""A rollback for people: the line when traffic is back, the progress after it, and the receipt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.view import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.preview import JudgedChange
    from manuel_release.model.progress import Progress, StepResult
    from manuel_release.model.rollback import Receipt, Restored
    from manuel_release.view.layout import Cell


def restored_line(restored: Restored) -> str:
    """`traffic restored in 1.2 s (2 API calls): r-12 serves instead of r-13`."""
    target = restored.target
    instead = f" instead of {target.bad}" if target.bad else ""
    calls = words.count(restored.api_calls, "API call")
    return f"traffic restored in {words.duration(restored.seconds)} ({calls}): {target.to} serves{instead}"


class LateProgress:
    """Makes the real progress when the first step begins: what draws is not loaded before traffic is back."""

    def __init__(self, make: Callable[[], Progress]) -> None:
        self._make = make
        self._made: Progress | None = None

    @property
    def _progress(self) -> Progress:
        if self._made is None:
            self._made = self._make()
        return self._made

    def start(self, title: str) -> None:
        """A step begins."""
        self._progress.start(title)

    def note(self, text: str) -> None:
        """Something happened inside the step."""
        self._progress.note(text)

    def end(self, result: StepResult) -> None:
        """The step is over."""
        self._progress.end(result)


@dataclass(frozen=True)
class StackScreen:
    """What restoring the stack would change, for the person who is asked next."""

    release: str
    changes: Sequence[JudgedChange]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """One row for each resource."""
        from manuel_release.view import symbols  # noqa: PLC0415 - drawn after the traffic is back
        from manuel_release.view.layout import headline, table  # noqa: PLC0415

        yield headline(f"Restore the stack of {self.release}")
        rows = [
            (
                symbols.ACTION[one.change.action].text(options.ascii_only),
                one.change.logical_id,
                one.change.type,
                one.objection or one.effect.value.replace("_", " "),
            )
            for one in self.changes
        ]
        yield table(("Change", "Resource", "Type", "Effect"), rows, keep=(0,))


@dataclass(frozen=True)
class ReceiptScreen:
    """How a rollback ended."""

    receipt: Receipt

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """One sentence, the numbers, what is left, and how to undo it."""
        from manuel_release.view import symbols  # noqa: PLC0415 - drawn after the traffic is back
        from manuel_release.view.layout import facts, headline  # noqa: PLC0415

        end = self.receipt
        mark = symbols.bad("") if end.left else symbols.good("")
        if not end.traffic_restored:
            mark = symbols.quiet("")
        yield headline(_sentence(end), mark, ascii_only=options.ascii_only)
        left: Cell = [(f"{number}. {one}", "red") for number, one in enumerate(end.left, 1)]
        yield facts(
            ("", end.message),
            ("Why", end.why),
            ("Traffic", _traffic(end)),
            ("Last answer", _last(end)),
            ("Exposed", "" if end.bad_requests is None else f"{end.bad_requests} requests answered by {_bad(end)}"),
            ("Left to do", left),
            ("Untouched", list(_plain(end.not_rolled_back))),
            ("Incident", f"manuel-release incident show {end.incident_id}" if end.incident_id else ""),
            ("Next", f"manuel-release rollback --env {end.environment}" if end.left else ""),
            ("Undo", end.undo_command),
        )


def _sentence(end: Receipt) -> str:
    if not end.traffic_restored:
        return f"{end.environment} would go from {_bad(end)} back to {end.to_release}"
    if end.from_release is None:
        return f"{end.to_release} serves {end.environment}"
    rest = ", and not everything after that is done" if end.left else ""
    return f"{end.to_release} serves {end.environment} again instead of {end.from_release}{rest}"


def _bad(end: Receipt) -> str:
    return end.from_release or "what serves"


def _traffic(end: Receipt) -> str:
    if end.seconds_to_traffic_restored is None:
        return ""
    calls = words.count(end.api_calls_before_restored, "API call")
    return f"back after {words.duration(end.seconds_to_traffic_restored)}, {calls}"


def _last(end: Receipt) -> str:
    if end.counted is None:
        return ""
    seen = end.counted
    counted = f"{seen.bad} of its answers and {seen.good} others were counted"
    if seen.last_bad_seconds is None:
        return f"none of {_bad(end)} was seen at the public URL; {counted}"
    sure = "" if seen.quiet else "; it was not quiet for long enough to be sure"
    return f"of {_bad(end)} {words.duration(seen.last_bad_seconds)} after the key; {counted}{sure}"


def _plain(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from ((text, "") for text in texts)
