"""What a buildspec says, read as CodeBuild reads it; what this emulator cannot do is refused, never skipped.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PHASES = ("install", "pre_build", "build", "post_build")
TEST_FORMATS = ("CUCUMBERJSON", "JUNITXML", "NUNITXML", "NUNIT3XML", "TESTNGXML", "VISUALSTUDIOTRX")
COVERAGE_FORMATS = ("CLOVERXML", "COBERTURAXML", "JACOCOXML", "SIMPLECOV")
SHELLS = ("sh", "bash")
ALL_RETRIES = 3
MOST_RETRIES = 100

_ON_FAILURE = re.compile(r"RETRY(?:-(\d+))?(?:-(.*))?\Z", re.DOTALL)
_KEYS = ("version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache")
_ENV_KEYS = ("shell", "variables", "parameter-store", "secrets-manager", "exported-variables", "git-credential-helper")
_PHASE_KEYS = ("run-as", "on-failure", "runtime-versions", "commands", "finally")
_ARTIFACT_KEYS = ("files", "name", "discard-paths", "base-directory", "exclude-paths", "enable-symlinks", "s3-prefix")
_REPORT_KEYS = ("files", "base-directory", "discard-paths", "file-format")


class BuildspecError(Exception):
    """The buildspec is not one; the message is what the phase DOWNLOAD_SOURCE says after YAML_FILE_ERROR."""


@dataclass(frozen=True)
class OnFailure:
    """What follows a failed phase: action is `ABORT`, `CONTINUE`, `RETRY`, or empty for CodeBuild's own rule.

    retries: how often the phase runs again; pattern: only when the phase's output matches this regular expression.
    """

    action: str = ""
    retries: int = 0
    pattern: str = ""


@dataclass(frozen=True)
class Phase:
    """One phase: its commands, and those that run at its end in any case."""

    name: str
    commands: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    on_failure: OnFailure = field(default_factory=OnFailure)
    runtimes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Artifacts:
    """Which files make an artifact: glob patterns below `base`, and how they are called inside."""

    files: tuple[str, ...]
    name: str = ""
    base: str = ""
    exclude: tuple[str, ...] = ()
    discard_paths: bool = False


@dataclass(frozen=True)
class Report:
    """One report group of the buildspec: its name or ARN, its files and their format."""

    group: str
    files: tuple[str, ...]
    base: str = ""
    file_format: str = "JUNITXML"

    @property
    def kind(self) -> str:
        """`TEST` or `CODE_COVERAGE`, as the format decides."""
        return "CODE_COVERAGE" if self.file_format in COVERAGE_FORMATS else "TEST"


@dataclass(frozen=True)
class Buildspec:
    """A whole buildspec. `secondary` artifacts are by their identifier."""

    shell: str = "sh"
    variables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    artifacts: Artifacts | None = None
    secondary: Mapping[str, Artifacts] = field(default_factory=dict)
    reports: tuple[Report, ...] = ()


def parse(text: str) -> Buildspec:
    """The buildspec in a YAML text; raises BuildspecError with the key that is wrong or that nobody here can do."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BuildspecError(f"Could not parse the buildspec: {error}") from error
    document = _mapping(document, "buildspec")
    _known(document, _KEYS, "buildspec")
    version = str(document.get("version", ""))
    if version != "0.2":
        raise BuildspecError(f"buildspec version must be 0.2 (0.1 is another language), found '{version}'")
    for key in ("run-as", "proxy", "batch"):
        if document.get(key) is not None:
            raise BuildspecError(f"{key} is not emulated: builds run here as the user who started the embedded AWS")
    environment = _mapping(document.get("env"), "env")
    _known(environment, _ENV_KEYS, "env")
    phases = _mapping(document.get("phases"), "phases")
    _known(phases, PHASES, "phases")
    if not phases:
        raise BuildspecError("at least one phase is required")
    artifacts, secondary = _all_artifacts(document.get("artifacts"))
    _check_cache(document.get("cache"))
    return Buildspec(
        shell=_shell(environment.get("shell")),
        variables=_strings(environment.get("variables"), "env/variables"),
        parameters=_strings(environment.get("parameter-store"), "env/parameter-store"),
        secrets=_strings(environment.get("secrets-manager"), "env/secrets-manager"),
        exported=_list(environment.get("exported-variables"), "env/exported-variables"),
        phases=tuple(_phase(name, phases.get(name)) for name in PHASES),
        artifacts=artifacts,
        secondary=secondary,
        reports=tuple(_report(group, given) for group, given in _mapping(document.get("reports"), "reports").items()),
    )


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BuildspecError(f"{where} must be a map")
    return {str(key): item for key, item in value.items()}


def _known(given: Mapping[str, Any], allowed: Sequence[str], where: str) -> None:
    for key in given:
        if key not in allowed:
            raise BuildspecError(f"unknown key {key} in {where}; known are {', '.join(allowed)}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _strings(value: Any, where: str) -> dict[str, str]:
    found = _mapping(value, where)
    for key, item in found.items():
        if isinstance(item, dict | list):
            raise BuildspecError(f"{where}/{key} must be a text")
        if key.startswith("CODEBUILD_"):
            raise BuildspecError(f"{where}/{key}: names that start with CODEBUILD_ are reserved")
    return {key: _text(item) for key, item in found.items()}


def _list(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or any(isinstance(item, dict | list) for item in value):
        raise BuildspecError(f"{where} must be a list of texts: a command with ': ' in it needs quotes")
    return tuple(_text(item) for item in value)


def _flag(value: Any) -> bool:
    return str(value).lower() in {"yes", "true"}


def _shell(value: Any) -> str:
    shell = _text(value) or "sh"
    name = shell.rsplit("/", 1)[-1]
    if name not in SHELLS:
        raise BuildspecError(f"env/shell {shell} is not emulated; there are {' and '.join(SHELLS)}")
    return name


def _phase(name: str, given: Any) -> Phase:
    where = f"phases/{name}"
    found = _mapping(given, where)
    _known(found, _PHASE_KEYS, where)
    if found.get("run-as") is not None:
        raise BuildspecError(f"{where}/run-as is not emulated")
    if found.get("runtime-versions") is not None and name != "install":
        raise BuildspecError(f"{where}/runtime-versions: only the install phase chooses runtimes")
    if given is not None and not found.get("commands") and not found.get("runtime-versions"):
        raise BuildspecError(f"{where} requires commands")
    return Phase(
        name,
        _list(found.get("commands"), f"{where}/commands"),
        _list(found.get("finally"), f"{where}/finally"),
        _on_failure(found.get("on-failure"), where),
        _strings(found.get("runtime-versions"), f"{where}/runtime-versions"),
    )


def _on_failure(value: Any, where: str) -> OnFailure:
    text = _text(value)
    if text in {"", "ABORT", "CONTINUE"}:
        return OnFailure(text)
    found = _ON_FAILURE.match(text)
    if found is None:
        raise BuildspecError(f"{where}/on-failure {text} is none of ABORT, CONTINUE, RETRY, RETRY-count, RETRY-regex")
    retries = ALL_RETRIES if found[1] is None else int(found[1])
    if retries > MOST_RETRIES:
        raise BuildspecError(f"{where}/on-failure {text}: at most {MOST_RETRIES} retries")
    try:
        re.compile(found[2] or "")
    except re.error as error:
        raise BuildspecError(f"{where}/on-failure {text}: {error}") from error
    return OnFailure("RETRY", retries, found[2] or "")


def _all_artifacts(value: Any) -> tuple[Artifacts | None, dict[str, Artifacts]]:
    found = _mapping(value, "artifacts")
    secondary = _mapping(found.pop("secondary-artifacts", None), "artifacts/secondary-artifacts")
    primary = _artifacts(found, "artifacts") if found.get("files") or (found and not secondary) else None
    where = "artifacts/secondary-artifacts/"
    return primary, {name: _artifacts(_mapping(item, where + name), where + name) for name, item in secondary.items()}


def _artifacts(found: Mapping[str, Any], where: str) -> Artifacts:
    _known(found, _ARTIFACT_KEYS, where)
    files = _list(found.get("files"), f"{where}/files")
    if not files:
        raise BuildspecError(f"{where} requires files")
    for key in ("enable-symlinks", "s3-prefix"):
        if found.get(key) is not None and _text(found[key]).lower() not in {"no", "false", ""}:
            raise BuildspecError(f"{where}/{key} is not emulated")
    return Artifacts(
        files,
        _text(found.get("name")),
        _text(found.get("base-directory")),
        _list(found.get("exclude-paths"), f"{where}/exclude-paths"),
        _flag(found.get("discard-paths")),
    )


def _report(group: str, given: Any) -> Report:
    where = f"reports/{group}"
    found = _mapping(given, where)
    _known(found, _REPORT_KEYS, where)
    files = _list(found.get("files"), f"{where}/files")
    if not files:
        raise BuildspecError(f"{where} requires files")
    file_format = (_text(found.get("file-format")) or "JUNITXML").upper()
    if file_format not in TEST_FORMATS + COVERAGE_FORMATS:
        raise BuildspecError(
            f"{where}/file-format {file_format} is none of {', '.join(TEST_FORMATS + COVERAGE_FORMATS)}"
        )
    return Report(group, files, _text(found.get("base-directory")), file_format)


def _check_cache(value: Any) -> None:
    _known(_mapping(value, "cache"), ("key", "fallback-keys", "action", "paths"), "cache")
