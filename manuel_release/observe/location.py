"""Where an environment's API is: SSM knows it, and this machine remembers it, so that a rollback need not ask.

One small file for each combination of profile, region, key and endpoint in the user's cache folder
(`$XDG_CACHE_HOME/manuel-release`, else `~/.cache/manuel-release`). It holds nothing secret and may be deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manuel_release.errors import ReleaseError
from manuel_release.model.location import Location
from manuel_release.settings import API_PARAMETER

if TYPE_CHECKING:
    from manuel_release.aws import Aws
    from manuel_release.model.environment import Environment
    from manuel_release.model.stack import Stack

_TELLS_ACCOUNTS_APART = ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL")


class Memory:
    """What this machine knows of an account from earlier commands; a folder that cannot be written is no error."""

    def __init__(self, profile: str | None, region: str | None) -> None:
        """`profile` and `region` as given on the command line; the environment's variables count besides."""
        known = [profile, region, *(os.environ.get(name) for name in _TELLS_ACCOUNTS_APART)]
        self._name = hashlib.sha256(json.dumps(known).encode()).hexdigest()[:24]
        self._known: dict[str, Any] | None = None

    @property
    def _path(self) -> Path | None:
        folder = os.environ.get("XDG_CACHE_HOME")
        try:
            return (Path(folder) if folder else Path.home() / ".cache") / "manuel-release" / f"{self._name}.json"
        except RuntimeError:
            return None  # nobody's home: a function

    def get(self, key: str) -> Any:
        """What is known under a name; None when nothing is. `"key" in memory` tells a kept None apart."""
        return self._read().get(key)

    def __contains__(self, key: str) -> bool:
        return key in self._read()

    def keep(self, key: str, value: Any) -> None:
        """Remember a value that JSON can hold; the file is written only when it is another one."""
        known = self._read()
        path = self._path
        if path is None or (key in known and known[key] == value):
            return
        known[key] = value
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = path.with_suffix(f".{os.getpid()}")
            beside.write_text(json.dumps(known), encoding="utf-8")
            beside.replace(path)  # a reader sees the old file or the new one

    def _read(self) -> dict[str, Any]:
        if self._known is None:
            self._known = {}
            with suppress(OSError, ValueError):
                found = json.loads(self._path.read_text(encoding="utf-8")) if self._path is not None else {}
                self._known = found if isinstance(found, dict) else {}
        return self._known


def find(aws: Aws, environment: Environment, memory: Memory, *, anew: bool = False) -> Location:
    """The API of an environment: remembered, else one read of SSM, else (a stack without the parameter) of the stack.

    anew: do not believe what is remembered. Raises ReleaseError when nothing tells.
    """
    kept = memory.get(_key(environment))
    if not anew and isinstance(kept, list) and len(kept) == 2:
        return Location(str(kept[0]), str(kept[1]), remembered=True)
    found = _in_ssm(aws, environment) or _in_stack(aws, environment)
    remember(memory, environment, found)
    return found


def remember(memory: Memory, environment: Environment, location: Location) -> None:
    """Keep where the API of an environment is: the next rollback from this machine then needs two calls."""
    memory.keep(_key(environment), [location.rest_api_id, location.api_stage])


def in_outputs(stack: Stack | None) -> Location | None:
    """Where a stack says that its API is; None when it has none."""
    outputs = stack.outputs if stack is not None else {}
    if "ApiId" not in outputs or "ApiStage" not in outputs:
        return None
    return Location(outputs["ApiId"], outputs["ApiStage"])


def _key(environment: Environment) -> str:
    return f"api {environment.name}"


def _in_ssm(aws: Aws, environment: Environment) -> Location | None:
    try:
        text = aws.parameters.get(API_PARAMETER.format(environment=environment.name))
        known = json.loads(text or "{}")
        return Location(str(known["rest_api_id"]), str(known["stage"]))
    except (ReleaseError, ValueError, KeyError, TypeError):
        return None


def _in_stack(aws: Aws, environment: Environment) -> Location:
    found = in_outputs(aws.stacks.describe(environment.stack))
    if found is None:
        raise ReleaseError(
            f"{environment.name} has no API: neither SSM {API_PARAMETER.format(environment=environment.name)} nor the "
            f"stack {environment.stack} names one",
            hint="Check --env, --region and --profile; `manuel-release status` shows what is there.",
        )
    return found
