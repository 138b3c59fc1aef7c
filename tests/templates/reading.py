"""How the tests read the service's template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from templates.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

APP = ROOT / "src/app"
FUNCTION_ARN = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:"
FUNCTIONS = {
    "Health": "health",
    "Usage": "usage",
    "Manuals": "manuals",
    "Query": "query",
    "Transcribe": "transcribe",
    "ProcessManual": "process-manual",
}
OF_THE_API = [name for name in FUNCTIONS if name != "ProcessManual"]  # S3 calls that one
METHODS = {"get", "post", "put", "delete", "patch"}


def of(service: dict[str, Any], logical_id: str) -> dict[str, Any]:
    found: dict[str, Any] = service["Resources"][logical_id]["Properties"]
    return found


def api(service: dict[str, Any]) -> dict[str, Any]:
    return of(service, "ManuelApi")


def operations(service: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """`GET /health` -> the operation."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in api(service)["DefinitionBody"]["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def chosen(service: dict[str, Any], value: Any, environment: str) -> Any:
    """The value that an Fn::If over IsProduction, HasCache or a lookup in Environments has in an environment."""
    if isinstance(value, dict) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        holds = {"IsProduction": environment == "prod", "HasCache": environment != "dev"}[condition]
        return chosen(service, yes if holds else no, environment)
    if isinstance(value, dict) and "Fn::FindInMap" in value:
        table, key, column = value["Fn::FindInMap"]
        assert key == {"Ref": "Environment"}
        return service["Mappings"][table][environment][column]
    return value


def function_arns(names: Iterable[str] = FUNCTIONS) -> list[dict[str, str]]:
    """Each function, and each alias and version of it."""
    return [{"Fn::Sub": f"{FUNCTION_ARN}${{{name}Function}}{end}"} for name in names for end in ("", ":*")]
