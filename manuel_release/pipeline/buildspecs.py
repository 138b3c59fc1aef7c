"""Reading buildspecs; what CodeBuild would refuse is said in its place.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from manuel_release.model.buildspec import PHASES, Artifacts, Buildspec, Phase, Report

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECTIONS = {"version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache"}
_OF_A_PHASE = {"run-as", "on-failure", "runtime-versions", "commands", "finally"}


class WrongBuildspecError(ValueError):
    """The text is not a buildspec; the message says why."""


def parse(text: str, path: str) -> Buildspec:
    """The buildspec in `text`; raises WrongBuildspecError with the first thing that is wrong."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise WrongBuildspecError(f"it is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict) or str(data.get("version")) not in {"0.1", "0.2"}:
        raise WrongBuildspecError("it does not say `version: 0.2`")
    unknown = sorted(set(data) - _SECTIONS)
    if unknown:
        raise WrongBuildspecError(f"CodeBuild knows no section {unknown[0]!r}")
    environment = _table(data.get("env"), "env")
    artifacts = _table(data.get("artifacts"), "artifacts")
    secondary = _table(artifacts.get("secondary-artifacts"), "artifacts/secondary-artifacts")
    return Buildspec(
        path=path,
        version=str(data["version"]),
        variables=_texts(environment.get("variables"), "env/variables"),
        parameters=_texts(environment.get("parameter-store"), "env/parameter-store"),
        exported=_list(environment.get("exported-variables"), "env/exported-variables"),
        phases=_phases(_table(data.get("phases"), "phases")),
        reports=tuple(_report(name, value) for name, value in _table(data.get("reports"), "reports").items()),
        artifacts=_artifacts(artifacts) if artifacts else None,
        secondary={str(name): _artifacts(_table(value, str(name))) for name, value in secondary.items()},
    )


def _phases(data: Mapping[str, Any]) -> tuple[Phase, ...]:
    unknown = sorted(set(data) - set(PHASES))
    if unknown:
        raise WrongBuildspecError(f"CodeBuild knows no phase {unknown[0]!r}")
    if not data:
        raise WrongBuildspecError("it has no phases")
    return tuple(_phase(name, _table(data[name], f"phases/{name}")) for name in PHASES if name in data)


def _phase(name: str, data: Mapping[str, Any]) -> Phase:
    unknown = sorted(set(data) - _OF_A_PHASE)
    if unknown:
        raise WrongBuildspecError(f"CodeBuild knows no {unknown[0]!r} in a phase")
    if "runtime-versions" in data and name != "install":
        raise WrongBuildspecError("runtime-versions belong to the install phase")
    return Phase(
        name,
        _list(data.get("commands"), f"phases/{name}/commands"),
        _list(data.get("finally"), f"phases/{name}/finally"),
        str(data.get("on-failure", "ABORT")),
        _texts(data.get("runtime-versions"), f"phases/{name}/runtime-versions"),
    )


def _report(name: str, value: Any) -> Report:
    data = _table(value, f"reports/{name}")
    return Report(
        name,
        str(data.get("file-format", "JUNITXML")).upper(),
        _list(data.get("files"), f"reports/{name}/files"),
        str(data.get("base-directory", "")),
    )


def _artifacts(data: Mapping[str, Any]) -> Artifacts:
    return Artifacts(_list(data.get("files"), "artifacts/files"), str(data.get("base-directory", "")))


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise WrongBuildspecError(f"{where} is not a mapping")
    return value


def _list(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str | int | float) for one in value):
        raise WrongBuildspecError(f"{where} is not a list of texts")
    return tuple(map(str, value))


def _texts(value: Any, where: str) -> Mapping[str, str]:
    return {str(name): str(text) for name, text in _table(value, where).items()}
