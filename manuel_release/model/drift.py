"""Where resources are no longer as their template says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DriftedResource:
    """A resource that differs from its template; `properties` are JSON pointers (`/MemorySize`), never the values."""

    logical_id: str
    physical_id: str
    type: str
    deleted: bool = False
    properties: tuple[str, ...] = ()


@dataclass(frozen=True)
class Detection:
    """The end of one drift detection; when not `complete`, some resources could not be read, and `reason` says why."""

    complete: bool
    reason: str = ""
