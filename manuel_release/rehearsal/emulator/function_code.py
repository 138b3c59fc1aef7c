"""Unpacked code of functions and layers, shared read-only by the sandboxes that run it, removed after the last one."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

from ministack.services import lambda_svc

REQUIRES = {"ministack.services.lambda_svc._resolve_layer_zip": None}


def install() -> None:
    """Nothing to replace; listed among the patches for its REQUIRES."""


class CodeStore:
    """Folders of unpacked archives and the sandboxes that use each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: dict[Path, set[Path]] = {}

    def link(self, code_zip: bytes, config: dict[str, Any], sandbox: Path) -> list[str]:
        """Make `code` (and `opt`, when there are layers) in a sandbox's folder; returns the module search path.

        Layers lie over each other in their order, as in /opt.
        """
        layers = [data for data in map(lambda_svc._resolve_layer_zip, config.get("Layers") or []) if data]
        (sandbox / "code").symlink_to(self._unpacked([code_zip], sandbox))
        path = [str(sandbox / "code")]
        if layers:
            (sandbox / "opt").symlink_to(self._unpacked(layers, sandbox))
            path.append(str(sandbox / "opt" / "python"))
            path += sorted(map(str, (sandbox / "opt" / "python" / "lib").glob("python3*/site-packages")))
        return path

    def _unpacked(self, archives: list[bytes], sandbox: Path) -> Path:
        digest = hashlib.sha256(b"".join(hashlib.sha256(data).digest() for data in archives)).hexdigest()
        folder = Path(tempfile.gettempdir()) / "function-code" / digest
        with self._lock:
            self._users.setdefault(folder, set()).add(sandbox)
            if not folder.exists():
                unfinished = folder.with_suffix(".part")
                for data in archives:
                    with zipfile.ZipFile(io.BytesIO(data)) as archive:
                        archive.extractall(unfinished)
                unfinished.mkdir(parents=True, exist_ok=True)
                unfinished.rename(folder)
        return folder

    def unlink(self, sandbox: Path) -> None:
        """Forget a sandbox and remove what no other one uses."""
        with self._lock:
            for folder, users in list(self._users.items()):
                users.discard(sandbox)
                if not users:
                    del self._users[folder]
                    shutil.rmtree(folder, ignore_errors=True)


store = CodeStore()
