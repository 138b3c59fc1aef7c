"""CloudWatch's older wire form: flattened parameters in, XML out; newer SDKs use CBOR, which ministack speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping


def expand(params: Mapping[str, Any]) -> dict[str, Any]:
    """`A.member.1.B=x` and the like as nested dictionaries and lists; all leaves are text."""
    tree: dict[str, Any] = {}
    for key, value in params.items():
        node = tree
        *path, last = key.split(".")
        for step in path:
            node = node.setdefault(step, {})
        node[last] = value[0] if isinstance(value, list) else value
    folded: dict[str, Any] = _folded(tree)
    return folded


def _folded(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if set(node) == {"member"}:
        members = node["member"]
        return [_folded(members[index]) for index in sorted(members, key=int)]
    return {key: _folded(value) for key, value in node.items()}


def to_xml(value: Any) -> str:
    """Nested dictionaries and lists as the elements inside a result; timestamps must be text already."""
    if isinstance(value, dict):
        return "".join(f"<{key}>{to_xml(inner)}</{key}>" for key, inner in value.items() if inner is not None)
    if isinstance(value, list):
        return "".join(f"<member>{to_xml(inner)}</member>" for inner in value)
    return escape(str(value).lower() if isinstance(value, bool) else str(value))
