"""How a check says what it found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from manuel_release.errors import ReleaseError
from manuel_release.model.check import Check, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ACCESS_EXIT_CODE = 4


def ok(title: str, message: str) -> Check:
    """It is as it should be."""
    return Check(Level.OK, title, message)


def warning(title: str, message: str, hint: str = "") -> Check:
    """It works, and somebody should look at it."""
    return Check(Level.WARNING, title, message, hint)


def error(title: str, message: str, hint: str = "", *, access: bool = False) -> Check:
    """It does not work; `access` when credentials, permissions, settings or tools are the reason."""
    return Check(Level.ERROR, title, message, hint, access=access)


def skipped(title: str, message: str) -> Check:
    """It could not be looked at."""
    return Check(Level.SKIPPED, title, message)


def failure(title: str, problem: Exception) -> Check:
    """The result of a check that raised."""
    if isinstance(problem, ReleaseError):
        return error(title, problem.message, problem.hint, access=problem.exit_code == ACCESS_EXIT_CODE)
    return error(
        title,
        f"this check itself failed: {type(problem).__name__}: {problem}",
        "The other checks count all the same; report this one.",
    )


def counted(number: int, noun: str) -> str:
    """`1 function`, `3 functions`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def attempted(title: str, check: Callable[[], Iterable[Check]], environment: str = "") -> tuple[Check, ...]:
    """Everything that a check yields, and what it raised as one more result."""
    found: list[Check] = []
    try:
        found.extend(check())
    except Exception as problem:
        found.append(failure(title, problem))
    return tuple(replace(one, environment=environment) for one in found)
