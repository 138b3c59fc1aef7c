"""Secret values that were read: no text that AWS sends afterwards is told with one of them in it.

AWS masks NoEcho parameters in its own answers, but a resource's failure may repeat the value that it was given.
"""

from __future__ import annotations

MASK = "****"
SHORTEST = 4
"""A shorter value is no secret, and would be found in every other word."""

_secrets: set[str] = set()


def hide(value: str) -> None:
    """Never repeat this value; for the rest of the process."""
    if len(value) >= SHORTEST:
        _secrets.add(value)


def masked(text: str) -> str:
    """The text with asterisks in place of every hidden value, longest first."""
    for value in sorted(_secrets, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text
