"""Who may do what: IAM principals by role, and which principal stands behind a commit's author."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLES = ("on_call", "devops", "product")

ON_CALL = (
    "arn:aws*:sts::*:assumed-role/manuel-on-call*/*",
    "arn:aws*:iam::*:role/manuel-on-call*",
)


@dataclass(frozen=True)
class People:
    """Patterns (`*` and `?`) of the principals' ARNs by role; `authors`: a commit's e-mail -> its author's pattern."""

    on_call: tuple[str, ...] = ON_CALL
    devops: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    authors: Mapping[str, str] = field(default_factory=dict)

    def has(self, role: str, arn: str) -> bool:
        """Whether the principal has the role, one of ROLES."""
        patterns: tuple[str, ...] = getattr(self, role)
        return any(fnmatchcase(arn, pattern) for pattern in patterns)

    def roles(self, arn: str) -> tuple[str, ...]:
        """The principal's roles."""
        return tuple(role for role in ROLES if self.has(role, arn))
