"""Settings of the tool: `manuel-release.toml`, or its copy in SSM for laptops without the repository.

Searched in this order: `--config`, `MANUEL_CONFIG`, upward from the working directory, SSM `/manuel/settings`. Every
value has a default, so the file may say only what differs.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manuel_release.errors import SettingsError, UsageError
from manuel_release.model.environment import Environment, canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FILE_NAME = "manuel-release.toml"
SSM_NAME = "/manuel/settings"
LEDGER_PARAMETER = "/manuel/operations/ledger"
ARTIFACTS_PARAMETER = "/manuel/operations/artifacts"
OPERATIONS_STACK = "manuel-operations"

ENVIRONMENTS = (
    Environment("dev", "dev", "manuel-dev", "parameters-dev.json"),
    Environment("staging", "staging", "manuel-staging", "parameters-staging.json"),
    Environment("production", "prod", "manuel-prod", "parameters-production.json", canary=True, asks=True),
)
FALLBACK_ENVIRONMENT = "production"


@dataclass(frozen=True)
class SmokeRequest:
    """What the smoke test asks a function directly; status is the HTTP status that proves it."""

    method: str
    path: str
    status: int


@dataclass(frozen=True)
class Settings:
    """What a person can choose.

    api_url: where the API is reached from here, for people behind a VPC endpoint or a proxy; `{api_id}`, `{stage}` and
        `{region}` are filled in.
    lease_seconds: how long a process that died blocks the others.
    stack_seconds, deployment_seconds, health_seconds: how long to wait for a stack, a CodeDeploy deployment, and the
        public URL.
    poll_seconds: pause between two looks at something that is under way.
    canary_interval_seconds: how finely a canary is judged: 1, 5, 10, 20, 30 or 60.
    canary_delay_seconds, canary_minute_delay_seconds: how long after an interval the functions' metrics are there, and
        after a minute AWS's own.
    limits: what the specification's absolute limits do to a canary: `report`, `shared` or `absolute`.
    smoke: function (name without environment) -> request; a function not named gets `GET /` and may answer anything
        below 500.
    """

    region: str = "eu-west-1"
    api_url: str = "https://{api_id}.execute-api.{region}.amazonaws.com/{stage}"
    environments: tuple[Environment, ...] = ENVIRONMENTS
    lease_seconds: float = 900.0
    stack_seconds: float = 3600.0
    deployment_seconds: float = 3600.0
    health_seconds: float = 180.0
    health_answers: int = 3
    poll_seconds: float = 2.0
    canary_interval_seconds: float = 10.0
    canary_delay_seconds: float = 20.0
    canary_minute_delay_seconds: float = 90.0
    limits: str = "report"
    smoke: Mapping[str, SmokeRequest] = field(default_factory=dict)
    source: str = "built-in defaults"
    root: Path | None = None

    def environment(self, name: str) -> Environment:
        """The environment of that name (`prod` is `production`); raises UsageError."""
        wanted = canonical(name)
        for environment in self.environments:
            if environment.name == wanted:
                return environment
        known = ", ".join(e.name for e in self.environments)
        raise UsageError(f"there is no environment {name!r}: the settings know {known}")

    def public_url(self, api_id: str, stage: str, region: str) -> str:
        """The API's address from here, without a slash at the end; `MANUEL_API_URL` overrides the settings."""
        pattern = os.environ.get("MANUEL_API_URL") or self.api_url
        return pattern.format(api_id=api_id, stage=stage, region=region).rstrip("/")


_NUMBERS = (
    "lease_seconds",
    "stack_seconds",
    "deployment_seconds",
    "health_seconds",
    "poll_seconds",
    "canary_interval_seconds",
    "canary_delay_seconds",
    "canary_minute_delay_seconds",
)
_LIMITS = ("report", "shared", "absolute")
_ENVIRONMENT_KEYS = {"stack": str, "parameters_file": str, "canary": bool, "asks": bool, "account_id": str}


def parse(text: str, source: str) -> Settings:
    """Settings from TOML; raises SettingsError that lists every wrong key and value."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{source} is not valid TOML: {error}", hint="Correct the file and run again.") from error
    wrong: list[str] = []
    settings = Settings(source=source)
    for key, value in data.items():
        match key:
            case "region" | "api_url" if isinstance(value, str):
                settings = replace(settings, **_fields({key: value}))
            case _ if key in _NUMBERS and isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
                settings = replace(settings, **_fields({key: float(value)}))
            case "limits" if value in _LIMITS:
                settings = replace(settings, limits=str(value))
            case "health_answers" if isinstance(value, int) and value > 0:
                settings = replace(settings, health_answers=value)
            case "environments" if isinstance(value, dict):
                settings = replace(settings, environments=_environments(value, wrong))
            case "smoke" if isinstance(value, dict):
                settings = replace(settings, smoke=_smoke(value, wrong))
            case _:
                wrong.append(f"{key} = {value!r} is not a setting, or not of its type")
    if wrong:
        raise SettingsError(f"{source}: " + "; ".join(wrong), hint="docs/settings.md lists every setting.")
    return settings


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments whose types were checked against the field's own."""
    return dict(values)


def _environments(data: Mapping[str, Any], wrong: list[str]) -> tuple[Environment, ...]:
    found = {e.name: e for e in ENVIRONMENTS}
    for name, values in data.items():
        known = canonical(name)
        if known not in found or not isinstance(values, dict):
            wrong.append(f"environments.{name}: only dev, staging and production exist in the template")
            continue
        for key, value in values.items():
            if key not in _ENVIRONMENT_KEYS or not isinstance(value, _ENVIRONMENT_KEYS[key]):
                wrong.append(f"environments.{name}.{key} = {value!r} is not a setting, or not of its type")
            else:
                found[known] = replace(found[known], **_fields({key: value}))
    return tuple(found.values())


def _smoke(data: Mapping[str, Any], wrong: list[str]) -> Mapping[str, SmokeRequest]:
    found: dict[str, SmokeRequest] = {}
    for name, values in data.items():
        try:
            found[name] = SmokeRequest(str(values["method"]), str(values["path"]), int(values["status"]))
        except (KeyError, TypeError, ValueError):
            wrong.append(f"smoke.{name} needs method, path and status")
    return found


def find_file(config: str | None, start: Path) -> Path | None:
    """The settings file that counts here, None without one; raises SettingsError when the named one is missing."""
    named = config or os.environ.get("MANUEL_CONFIG")
    if named:
        path = Path(named)
        if not path.is_file():
            raise SettingsError(f"the settings file {named} does not exist", hint="Check --config or MANUEL_CONFIG.")
        return path
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def load(config: str | None, start: Path, from_ssm: Callable[[], str | None]) -> Settings:
    """The settings that count here; `from_ssm` is asked only when there is no file, and may answer None."""
    path = find_file(config, start)
    if path is not None:
        return replace(parse(path.read_text(encoding="utf-8"), str(path)), root=path.resolve().parent)
    text = from_ssm()
    return parse(text, f"SSM {SSM_NAME}") if text is not None else Settings()
