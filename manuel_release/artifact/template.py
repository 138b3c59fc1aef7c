"""A CloudFormation template as data: YAML with its short forms, and the sentences that describe its resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from manuel_release.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class _Loader(yaml.SafeLoader):
    """SafeLoader that keeps `!Ref x` as {"Ref": "x"} and `!Sub x` as {"Fn::Sub": "x"}."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 - YAML has three kinds of node
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def load(path: Path) -> dict[str, Any]:
    """The template at `path`; raises SettingsError when it is missing or no template."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"the template {path.name} cannot be read: {error.strerror}",
            hint="Run this in the repository of the service.",
        ) from error
    return loads(text, path.name)


def loads(text: str, name: str) -> dict[str, Any]:
    """The template in `text`; raises SettingsError naming `name`."""
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except yaml.YAMLError as error:
        raise SettingsError(f"{name} is not valid YAML: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("Resources"), dict):
        raise SettingsError(f"{name} is not a CloudFormation template: it has no Resources")
    return data


def descriptions(template: Mapping[str, Any]) -> Mapping[str, str]:
    """Logical id -> the sentence in the resource's `Metadata: {Description}`."""
    return {
        logical_id: str(resource["Metadata"]["Description"])
        for logical_id, resource in template["Resources"].items()
        if isinstance(resource, dict) and "Description" in (resource.get("Metadata") or {})
    }
