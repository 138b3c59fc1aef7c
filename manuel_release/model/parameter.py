"""A value in SSM Parameter Store."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class StoredValue:
    """One version of an SSM parameter; `secret` is a SecureString, whose value is never shown."""

    name: str
    version: int
    secret: bool
    value: str = field(repr=False)
