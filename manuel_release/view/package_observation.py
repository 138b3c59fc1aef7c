"""What was observed of a release, read back from its document, for those who approve the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model.outcome import OutcomeStatus
from manuel_release.view import symbols, words
from manuel_release.view.layout import facts, headline, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from manuel_release.view.layout import Cell
    from manuel_release.view.members import Members

KNOWN = frozenset({"environment", "release", "observed", "exit_code", "message", "next_command", "status", "canary"})
"""Members of the document."""

_ENDS = {
    "good": symbols.verdict("good"),
    "rolled_back": symbols.verdict("bad"),
    "cannot_tell_yet": symbols.verdict("cannot tell yet"),
    "nothing_to_do": symbols.OUTCOME[OutcomeStatus.NOTHING_TO_DO],
}


def drawn(found: Members, ascii_only: bool) -> Iterator[RenderableType]:
    """How it ended; both arms; what it cost and what the next step costs at worst. Raises Unexpected."""
    message, canary = found.needed("message"), found.inner("canary")
    end = found.text("observed") or found.text("status")
    mark = _ENDS.get(end, symbols.quiet(end))
    yield headline(f"Observation: {message}", mark, ascii_only=ascii_only)
    if canary is not None:
        yield from _canary(canary, message)
    if end != "good":  # a good one's is what the pipeline does when the gate is passed
        yield facts(("Run", found.text("next_command")))


def _canary(canary: Members, message: str) -> Iterator[RenderableType]:
    verdict, worst = canary.inner("verdict"), canary.inner("worst_case")
    yield facts(
        ("Traffic", _traffic(canary)),
        ("Verdict", _verdict(verdict, message)),
        ("Found", _signals(verdict)),
        ("Missing", _missing(verdict)),
        (
            "Breached",
            tuple((one.needed("sentence"), "red") for one in (verdict.several("breaches") if verdict else ())),
        ),
        ("Held", ("A shared incident forbids promotion.", "yellow") if verdict and verdict.flag("hold") else ""),
        ("Moved", tuple((line, "yellow") for line in canary.text("drift").splitlines())),
        ("In doubt", tuple((sentence, "yellow") for sentence in canary.texts("doubts"))),
        ("Look at", tuple((sentence, "yellow") for sentence in (verdict.texts("investigate") if verdict else ()))),
    )
    rows = _arms(canary)
    if rows:
        yield ""
        yield table(("", f"stable {canary.text('stable_release')}", f"canary {canary.text('release')}"), rows)
        yield ""
    yield facts(("Cost so far", _cost(canary)), ("At worst", worst.text("sentence") if worst is not None else ""))


def _traffic(canary: Members) -> str:
    wanted, counted, judged = (canary.number(key) for key in ("desired_percent", "actual_percent", "observed_seconds"))
    told = [
        *([f"{words.percent(wanted)} wanted"] if wanted is not None else []),
        *([f"{counted:.1f} % counted"] if counted is not None else []),
        *([f"judged {words.duration(judged)}"] if judged else []),
    ]
    return ", ".join(told)


def _verdict(verdict: Members | None, message: str) -> Cell:
    """Its sentence, where the observation's message does not say it already."""
    sentence = verdict.text("sentence") if verdict is not None else ""
    if verdict is None or sentence in message:
        return ""
    return sentence, symbols.verdict(verdict.text("value")).colour


def _signals(verdict: Members | None) -> str:
    found = verdict.several("signals") if verdict is not None else []
    return ", ".join(f"{one.needed('metric')} {one.text('finding').replace('_', ' ')}" for one in found)


def _missing(verdict: Members | None) -> str:
    requests = verdict.number("missing_requests") if verdict is not None else None
    return f"{requests:,.0f} canary requests until good" if requests else ""


def _arms(canary: Members) -> list[tuple[Cell, ...]]:
    """Both arms beside each other, in the order of the canary's own screen."""
    arms = canary.inner("arms")
    stable, new = (arms.inner("stable"), arms.inner("canary")) if arms is not None else (None, None)
    if stable is None or new is None:
        return []
    rows: list[tuple[Cell, ...]] = [("requests", f"{stable.count('requests'):,}", f"{new.count('requests'):,}")]
    for name, key in (("5xx", "errors_5xx"), ("4xx", "errors_4xx")):
        rows.append((name, _share(stable, key), _share(new, key)))
    rows.append(("P95", _milliseconds(stable), _milliseconds(new)))
    return rows


def _share(arm: Members, key: str) -> str:
    events, requests = arm.count(key), arm.count("requests")
    return f"{events:,} ({100.0 * events / requests:.2f} %)" if requests else f"{events:,}"


def _milliseconds(arm: Members) -> str:
    value = arm.number("p95_ms")
    return "not measured" if value is None else f"{value:,.0f} ms"


def _cost(canary: Members) -> str:
    spent = canary.inner("blast_radius")
    if spent is None:
        return ""
    failed = words.count(spent.count("canary_failures"), "failed request")
    return f"{failed} among {spent.count('canary_requests'):,} that the canary served"
