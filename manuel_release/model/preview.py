"""What the changes of a change set mean for the people who use the service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from manuel_release.model.stack import Change


class Area(StrEnum):
    """Who meets a change, and when."""

    FUNCTIONS = "functions"  # code and configuration of functions, and the stack's versions: met through an alias
    SHARED = "shared"  # everything else: met by everybody as soon as the stack is updated


class Effect(StrEnum):
    """What a change does to what runs."""

    ADDITIVE = "additive"  # something is there that was not; what was there stays as it was
    IN_PLACE = "in_place"  # changes where it is; whether that takes something away, a change set does not tell
    BREAKING = "breaking"  # something is removed or replaced


@dataclass(frozen=True)
class JudgedChange:
    """A change, and what it means.

    subject: what it belongs to, in a word or two (`functions`, `API`, `permissions`, `data`, ...).
    iam: it changes who may do what.
    objection: why it is breaking; empty for everything else.
    forbidden: why no reason can allow it; empty for everything else.
    """

    change: Change
    area: Area
    subject: str
    effect: Effect
    iam: bool = False
    objection: str = ""
    forbidden: str = ""
