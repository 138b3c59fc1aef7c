"""Durations, times and counts in words; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def duration(seconds: float) -> str:
    """Seconds as people say them: `0.4 s`, `42 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    for size, unit, below, smaller in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s")):
        if whole >= size:
            count, rest = whole // size, whole % size // below
            return f"{count} {unit} {rest} {smaller}" if rest else f"{count} {unit}"
    return f"{whole} s"


def elapsed(seconds: float) -> str:
    """A running timer of constant look: `7 s`, `72 s`, `192 s`."""
    return f"{int(seconds)} s"


def ago(at: datetime, now: datetime) -> str:
    """How long ago, coarsely: `just now`, `5 min ago`, `3 h ago`, `12 d ago`."""
    return _coarse((now - at).total_seconds(), "{} ago", "just now")


def ahead(at: datetime, now: datetime) -> str:
    """How far ahead, coarsely: `now`, `in 5 min`, `in 3 h`."""
    return _coarse((at - now).total_seconds(), "in {}", "now")


def _coarse(seconds: float, pattern: str, nothing: str) -> str:
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return pattern.format(f"{int(seconds // size)} {unit}")
    return pattern.format(f"{int(seconds)} s") if seconds >= 1 else nothing


def count(number: int, noun: str) -> str:
    """`1 alarm`, `3 alarms`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percent(value: float) -> str:
    """A share 0-100: `10 %`, `12.5 %`."""
    return f"{value:g} %"


def short_commit(commit: str) -> str:
    """The first seven digits of a commit's hash; what follows it (`-dirty`) stays."""
    digits, mark, rest = commit.partition("-")
    return f"{digits[:7]}{mark}{rest}"
