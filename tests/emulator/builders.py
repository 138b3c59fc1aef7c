"""What every world of the embedded AWS needs: names of one's own, packages of functions, and waiting."""

from __future__ import annotations

import io
import time
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 120.0  # a busy machine needs some; only a failure takes so long


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def zipped(source: str) -> bytes:
    """A Lambda package with one module, `app`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", source)
    return packed.getvalue()


def until(ask: Callable[[], Any], patience: float = PATIENCE_SECONDS, pause: float = 0.1) -> Any:
    """The first true answer; raises AssertionError when there is none within `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        found = ask()
        if found:
            return found
        assert time.monotonic() < deadline, f"did not happen within {patience:.0f} s"
        time.sleep(pause)
