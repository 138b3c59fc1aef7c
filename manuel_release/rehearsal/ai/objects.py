"""Where the uploaded files are."""

from __future__ import annotations

from typing import Protocol


class Objects(Protocol):
    """The buckets of the embedded S3."""

    def keys(self, bucket: str) -> list[str]:
        """Every key in a bucket; none where there is no such bucket."""

    def read(self, bucket: str, key: str) -> bytes | None:
        """An object's bytes, or None."""

    def write(self, bucket: str, key: str, body: bytes) -> None:
        """Put an object."""
