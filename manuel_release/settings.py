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
from manuel_release.model.people import ROLES, People

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FILE_NAME = "manuel-release.toml"
SSM_NAME = "/manuel/settings"
LEDGER_PARAMETER = "/manuel/operations/ledger"
ARTIFACTS_PARAMETER = "/manuel/operations/artifacts"
TOPIC_PARAMETER = "/manuel/operations/topic"
PIPELINE_PARAMETER = "/manuel/pipeline/name"
API_PARAMETER = "/manuel/{environment}/api"
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
    canary_margin_5xx_percent, canary_margin_4xx_percent, canary_margin_slow_percent: how much worse (points of all
        requests) a canary may be and still be called good; slow is slower than the stable release's past P95.
    canary_start_grace_seconds, canary_step_grace_seconds: how long cold starts are expected after the start and after
        a raised share; see docs/verdict.md.
    canary_stale_seconds: how long the counts must have been without doubt before a canary may be called good.
    canary_steps: the canary's shares of the traffic in percent, rising, the last one 100.
    canary_observe_seconds: how long each of these steps is observed at the most.
    canary_least_seconds: how long each of them is observed at the least, however good the canary is.
    heartbeat_seconds: a canary that nobody has observed for so long is taken back by the guard.
    retained_releases: how many releases keep their aliases, versions and alarms.
    probe_per_second, probe_seconds: how often a rollback asks the public URL who answers, and for how long at the most.
    people: who may approve and override.
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
    limits: str = "shared"
    canary_margin_5xx_percent: float = 0.5
    canary_margin_4xx_percent: float = 2.0
    canary_margin_slow_percent: float = 5.0
    canary_start_grace_seconds: float = 60.0
    canary_step_grace_seconds: float = 30.0
    canary_stale_seconds: float = 60.0
    canary_steps: tuple[float, ...] = (10.0, 50.0, 100.0)
    canary_observe_seconds: tuple[float, ...] = (900.0, 900.0, 1800.0)
    canary_least_seconds: float = 300.0
    heartbeat_seconds: float = 180.0
    retained_releases: int = 10
    probe_per_second: float = 20.0
    probe_seconds: float = 60.0
    people: People = field(default_factory=People)
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


_LIMITS = ("report", "shared", "absolute")


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _whole(value: Any) -> bool:
    return _number(value) and isinstance(value, int)


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_number, value))


def _steps(value: Any) -> bool:
    """Percentages that rise to 100."""
    return _numbers(value) and value == sorted(set(value)) and value[-1] == 100


_PLAIN: Mapping[str, Callable[[Any], bool]] = {
    "region": _text,
    "api_url": _text,
    "lease_seconds": _number,
    "stack_seconds": _number,
    "deployment_seconds": _number,
    "health_seconds": _number,
    "health_answers": _whole,
    "poll_seconds": _number,
    "canary_interval_seconds": _number,
    "canary_delay_seconds": _number,
    "canary_minute_delay_seconds": _number,
    "canary_margin_5xx_percent": _number,
    "canary_margin_4xx_percent": _number,
    "canary_margin_slow_percent": _number,
    "canary_start_grace_seconds": _number,
    "canary_step_grace_seconds": _number,
    "canary_stale_seconds": _number,
    "canary_steps": _steps,
    "canary_observe_seconds": _numbers,
    "canary_least_seconds": _number,
    "heartbeat_seconds": _number,
    "probe_per_second": _number,
    "probe_seconds": _number,
    "retained_releases": _whole,
    "limits": lambda value: value in _LIMITS,
}
"""Settings of one value: what it must be."""

_WHOLE = ("health_answers", "retained_releases")
_ENVIRONMENT_KEYS = dict.fromkeys(("stack", "parameters_file", "account_id"), str) | dict.fromkeys(
    ("canary", "asks", "rehearsed"), bool
)


def parse(text: str, source: str) -> Settings:
    """Settings from TOML; raises SettingsError that lists every wrong key and value."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{source} is not valid TOML: {error}", hint="Correct the file and run again.") from error
    wrong: list[str] = []
    settings = Settings(source=source)
    for key, value in data.items():
        if key in _PLAIN and _PLAIN[key](value):
            settings = replace(settings, **_fields({key: value if key in _WHOLE else _exact(value)}))
        elif key in _TABLES and isinstance(value, dict):
            settings = replace(settings, **_fields({key: _TABLES[key](value, wrong)}))
        else:
            wrong.append(f"{key} = {value!r} is not a setting, or not of its type")
    if len(settings.canary_observe_seconds) != len(settings.canary_steps):
        wrong.append("canary_observe_seconds needs one value for each of canary_steps")
    if wrong:
        raise SettingsError(f"{source}: " + "; ".join(wrong), hint="docs/settings.md lists every setting.")
    return settings


def _exact(value: Any) -> Any:
    """Numbers as floats, lists of them as tuples, anything else as it is."""
    if isinstance(value, list):
        return tuple(map(float, value))
    return float(value) if isinstance(value, int) else value


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments whose types were checked against the field's own."""
    return dict(values)


def _people(data: Mapping[str, Any], wrong: list[str]) -> People:
    found: dict[str, Any] = {}
    for key, value in data.items():
        if key in ROLES and isinstance(value, list) and all(isinstance(each, str) for each in value):
            found[key] = tuple(value)
        elif key == "authors" and isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
            found[key] = {email.lower(): arn for email, arn in value.items()}
        else:
            wrong.append(f"people.{key} is not a list of ARN patterns ({', '.join(ROLES)}), nor a table `authors`")
    return People(**found)


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


_TABLES: Mapping[str, Callable[[Mapping[str, Any], list[str]], Any]] = {
    "environments": _environments,
    "smoke": _smoke,
    "people": _people,
}
"""Settings of several values: what reads them, and lists what is wrong."""


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


def load(config: str | None, start: Path | None, from_ssm: Callable[[], str | None]) -> Settings:
    """The settings that count here; `from_ssm` is asked only when there is no file, and may answer None.

    start: the folder from which on a file is looked for, upwards; None for no file at all, a named one neither.
    """
    path = find_file(config, start) if start is not None else None
    if path is not None:
        return replace(parse(path.read_text(encoding="utf-8"), str(path)), root=path.resolve().parent)
    text = from_ssm()
    return parse(text, f"SSM {SSM_NAME}") if text is not None else Settings()
