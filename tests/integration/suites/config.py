"""What the suites know about the environment that they test: a JSON file, variables over it, stack outputs if asked.

MANUEL_TEST_URL               address of the API with its stage, without a slash at the end
MANUEL_TEST_USER_POOL_ID      Cognito user pool
MANUEL_TEST_CLIENT_ID         its app client
MANUEL_TEST_ACCOUNTS          test accounts where none may be made: `email:password`, separated by spaces
MANUEL_TEST_FAULTS_URL        where faults of dependencies are planned (`PUT <url>/<service>`), if anywhere
MANUEL_TEST_RECORDING         a recording (wav, mp4 or webm) of a person who asks a question
MANUEL_TEST_RECORDING_SAYS    that question
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROFILES = ("smoke", "basic", "full")
CATEGORIES = (
    "api",
    "authentication",
    "security",
    "performance",
    "error_handling",
    "failure_scenarios",
    "workflows",
)
ENVIRONMENTS = {"dev": "dev", "staging": "staging", "production": "prod"}  # as people say it, as functions say it
VARIABLES = {
    "url": "MANUEL_TEST_URL",
    "user_pool_id": "MANUEL_TEST_USER_POOL_ID",
    "client_id": "MANUEL_TEST_CLIENT_ID",
    "faults_url": "MANUEL_TEST_FAULTS_URL",
    "recording": "MANUEL_TEST_RECORDING",
    "recording_says": "MANUEL_TEST_RECORDING_SAYS",
}


class ConfigError(Exception):
    """The configuration cannot be used: what is wrong, and what to do."""


@dataclass(frozen=True)
class Config:
    """One environment, and how much is asked of it.

    make_users: whether Cognito's admin API may be used to make (and delete) test users.
    advanced_security, firewall, cache: what the template switches on in this environment.
    daily_quota: operations that a user may do in a day. fuzz_examples: requests per operation; fuzz_seconds: in all.
    learning_seconds: until a manual that was uploaded answers questions, at the most.
    p95_seconds, error_percent: limits of the performance category, over `requests` requests.
    coverage_percent: how much of the API's contract the full profile has to exercise.
    dependency_faults: services whose faults `faults_url` can plan. fault_layer: whether the functions have the chaos
    suite's layer, which can make all of them fail.
    accounts: e-mail address and password of test accounts; never printed.
    """

    environment: str
    profile: str
    url: str = ""
    region: str = "eu-west-1"
    stack: str = ""
    user_pool_id: str = ""
    client_id: str = ""
    make_users: bool = False
    advanced_security: bool = False
    firewall: bool = False
    cache: bool = False
    daily_quota: int = 0
    requests: int = 40
    p95_seconds: float = 5.0
    error_percent: float = 1.0
    fuzz_examples: int = 10
    fuzz_seconds: float = 30.0
    learning_seconds: float = 120.0
    coverage_percent: float = 90.0
    faults_url: str = ""
    fault_layer: bool = False
    dependency_faults: tuple[str, ...] = ()
    recording: str = ""
    recording_says: str = ""
    expected_release: str = ""
    accounts: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def public(self) -> dict[str, Any]:
        """The configuration without what is secret, for the reports."""
        return {name: value for name, value in asdict(self).items() if name != "accounts"}


def load(path: Path, environment: str, variables: Mapping[str, str] | None = None) -> Config:
    """Read a configuration file and put the variables over it.

    Raises ConfigError when the file cannot be read, is for another environment, or holds what it must not.
    """
    variables = os.environ if variables is None else variables
    environment = "production" if environment == "prod" else environment
    if environment not in ENVIRONMENTS:
        raise ConfigError(f"--environment must be one of {', '.join(ENVIRONMENTS)}, not {environment!r}.")
    values = _file(path)
    if values.get("environment") != environment:
        raise ConfigError(
            f"{path.name} is for {values.get('environment')!r}, not for {environment!r}: give --config "
            f"test_config_{environment}.json."
        )
    _check(path, values)
    values |= {name: variables[variable] for name, variable in VARIABLES.items() if variables.get(variable)}
    values["dependency_faults"] = tuple(values.get("dependency_faults", ()))
    made = Config(**values, accounts=_accounts(variables.get("MANUEL_TEST_ACCOUNTS", "")))
    return replace(made, url=made.url.rstrip("/"))


def complete(config: Config) -> Config:
    """The same configuration; raises ConfigError when what every run needs is missing."""
    missing = [VARIABLES[name] for name in ("url", "user_pool_id", "client_id") if not getattr(config, name)]
    if missing:
        raise ConfigError(
            f"{', '.join(missing)} not given: set them, or run with --discover to read the outputs of the stack "
            f"{config.stack or '(none named)'}."
        )
    if not config.url.startswith(("https://", "http://")):
        raise ConfigError(f"The address {config.url!r} begins with neither https:// nor http://.")
    return config


def _file(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not valid JSON: {error}.") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds no JSON object.")
    return values


def _check(path: Path, values: dict[str, Any]) -> None:
    """Refuse unknown keys and values of the wrong type; secrets have no place in the file."""
    known = {one.name: one for one in fields(Config) if one.name != "accounts"}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(f"{path.name} has keys that nothing reads: {', '.join(unknown)}.")
    if values.get("profile") not in PROFILES:
        raise ConfigError(f"profile in {path.name} must be one of {', '.join(PROFILES)}.")
    kinds = {"str": str, "bool": bool, "int": int, "float": (int, float), "tuple[str, ...]": list}
    for name, value in values.items():
        kind = kinds[str(known[name].type)]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):  # type: ignore[arg-type]
            raise ConfigError(f"{name} in {path.name} must be of type {known[name].type}, not {value!r}.")


def _accounts(text: str) -> tuple[tuple[str, str], ...]:
    found = []
    for one in text.split():
        email, colon, password = one.partition(":")
        if not (email and colon and password):
            raise ConfigError("MANUEL_TEST_ACCOUNTS must be email:password, several separated by spaces.")
        found.append((email, password))
    return tuple(found)
