"""Refuses to start on another ministack than the one whose insides the patches know."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PINNED = "1.5.33"


class Patch(Protocol):
    """A module that replaces one part of ministack."""

    @property
    def REQUIRES(self) -> Mapping[str, tuple[str, ...] | None]:  # noqa: N802 - modules have it as a constant
        """Dotted name in ministack -> its parameter names in order, or None where the name is data."""

    def install(self) -> None:
        """Put the replacement in place; called once, before the server starts."""


def resolve(dotted: str) -> object:
    """Return what `package.module.attribute[.attribute]` names; raises ImportError or AttributeError."""
    parts = dotted.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError as error:
            if error.name is not None and not ".".join(parts[:cut]).startswith(error.name):
                raise
            continue
        for name in parts[cut:]:
            found = getattr(found, name)
        return found
    raise ImportError(dotted)


def complaints(patches: Iterable[Patch]) -> Sequence[str]:
    """Everything about the installed ministack that the patches do not expect, a sentence each; empty when sound."""
    found: list[str] = []
    version = importlib.metadata.version("ministack")
    if version != PINNED:
        found.append(f"ministack {version} is installed, the rehearsal knows {PINNED}.")
    for patch in patches:
        for dotted, expected in patch.REQUIRES.items():
            try:
                thing = resolve(dotted)
            except (ImportError, AttributeError):
                found.append(f"{dotted} is gone.")
                continue
            if expected is None:
                continue
            if not callable(thing):
                found.append(f"{dotted} is not callable any more.")
                continue
            names = tuple(inspect.signature(thing).parameters)
            if names != expected:
                found.append(f"{dotted} takes {names}, expected {expected}.")
    return found
