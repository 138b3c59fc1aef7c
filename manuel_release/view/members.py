"""Reading a JSON document that another command wrote, maybe an older or a newer one; pure.

What is missing is empty or None; what has another type than it should raises Unexpected, and then the document is shown
as it is. Text comes out so that a terminal can show it: a control character is told by its escape and never sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from manuel_release.view.as_json import SCHEMA_VERSION

_MOST = 1e15
"""No count, percentage or duration of ours is larger; NaN and infinity are not smaller either."""


class Unexpected(ValueError):  # noqa: N818 - a question's answer, caught where it was asked
    """A document is not of the shape that a screen knows."""


def printable(text: str) -> str:
    """The text without what would steer a terminal; line ends stay."""
    return "".join(_shown(one) for one in text)


def _shown(one: str) -> str:
    if one.isprintable() or one == "\n":
        return one
    return " " if one.isspace() else one.encode("unicode_escape").decode("ascii")


@dataclass(frozen=True)
class Members:
    """The members of a JSON object."""

    data: Mapping[str, object]

    @classmethod
    def of(cls, value: object) -> Members:
        """Raises Unexpected for anything but an object, and for one whose `schema_version` is not ours."""
        if not isinstance(value, Mapping) or value.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
            raise Unexpected
        return cls(value)

    def text(self, key: str) -> str:
        """A text; empty when it is missing."""
        value = self.data.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Unexpected
        return printable(value)

    def needed(self, key: str) -> str:
        """A text that must be there."""
        found = self.text(key)
        if not found:
            raise Unexpected
        return found

    def flag(self, key: str) -> bool | None:
        """True or false; None when it is missing."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, bool):
            raise Unexpected
        return value

    def number(self, key: str) -> float | None:
        """A number; None when it is missing."""
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not -_MOST < value < _MOST:
            raise Unexpected
        return value

    def count(self, key: str) -> int:
        """A number of things, which must be there."""
        value = self.data.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST:
            raise Unexpected
        return value

    def inner(self, key: str) -> Members | None:
        """An object inside; None when it is missing."""
        value = self.data.get(key)
        return None if value is None else Members.of(value)

    def several(self, key: str) -> list[Members]:
        """A list of objects; empty when it is missing."""
        return [Members.of(one) for one in self._list(key)]

    def texts(self, key: str) -> list[str]:
        """A list of texts; empty when it is missing."""
        found = self._list(key)
        if not all(isinstance(one, str) for one in found):
            raise Unexpected
        return [printable(str(one)) for one in found]

    def rest(self, known: frozenset[str]) -> dict[str, object]:
        """Members that a screen has no place for."""
        return {key: value for key, value in self.data.items() if key not in known | {"schema_version"}}

    def _list(self, key: str) -> list[object]:
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            raise Unexpected
        return list(value)
