"""A buildspec as CodeBuild reads it.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PHASES = ("install", "pre_build", "build", "post_build")
"""In the order in which they run."""


@dataclass(frozen=True)
class Phase:
    """Commands in their order; `on_failure` as written (ABORT when nothing is), `runtimes` of the install phase."""

    name: str
    commands: tuple[str, ...] = ()
    finally_: tuple[str, ...] = ()
    on_failure: str = "ABORT"
    runtimes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What one of the entries of `reports` names; `format` in capitals."""

    name: str
    format: str = "JUNITXML"
    files: tuple[str, ...] = ()
    base: str = ""


@dataclass(frozen=True)
class Artifacts:
    """What is handed on: patterns below `base`."""

    files: tuple[str, ...] = ()
    base: str = ""


@dataclass(frozen=True)
class Buildspec:
    """A buildspec; `artifacts` is None when nothing is handed on, `secondary` by identifier."""

    path: str
    version: str
    variables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    reports: tuple[Report, ...] = ()
    artifacts: Artifacts | None = None
    secondary: Mapping[str, Artifacts] = field(default_factory=dict)

    @property
    def commands(self) -> tuple[str, ...]:
        """Every command, in the order in which they run."""
        return tuple(command for phase in self.phases for command in (*phase.commands, *phase.finally_))
