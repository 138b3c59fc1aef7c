"""The API's OpenAPI document, out of template.yaml and without AWS.

`!Sub`, `!GetAtt` and the like stand only in API Gateway's extensions and in the title; both go, so that what is left is
plain OpenAPI 3 for any tool. https://spec.openapis.org/oas/v3.0.3
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from integration.suites.config import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

METHODS = ("get", "post", "put", "delete", "patch")


class _Loader(yaml.SafeLoader):  # type: ignore[misc, unused-ignore]  # types-PyYAML is not everywhere
    """SafeLoader that reads CloudFormation's short forms as the values under them."""


def _untagged(loader: _Loader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)  # YAML has three kinds of node
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _untagged)


def document(path: Path, title: str = "Manuel") -> dict[str, Any]:
    """The OpenAPI document of the API in the template at `path`; raises ConfigError when there is none."""
    try:
        template = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
        (api,) = [one for one in template["Resources"].values() if one.get("Type") == "AWS::Serverless::Api"]
        body = api["Properties"]["DefinitionBody"]
        plain = {**_plain(body), "info": {**body["info"], "title": title}}
        for operation in operations(plain).values():
            _signed_in_or_not(operation)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} holds no API with a definition: {error}") from None
    return plain


def operations(plain: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Method and path, such as `("GET", "/health")`, to the operation."""
    return {
        (method.upper(), path): item[method]
        for path, item in plain["paths"].items()
        for method in METHODS
        if method in item
    }


def _plain(value: Any) -> Any:
    """Without API Gateway's extensions."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if not str(name).startswith("x-amazon-")}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _signed_in_or_not(operation: dict[str, Any]) -> None:
    """`Authorization` as a parameter is API Gateway's way of naming a cache key; the security scheme says the same."""
    kept = [one for one in operation.get("parameters", []) if one["name"] != "Authorization"]
    if kept:
        operation["parameters"] = kept
    else:
        operation.pop("parameters", None)
