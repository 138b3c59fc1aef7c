"""What a new template still offers of what the running one does: compared as text, resource by resource."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from manuel_release.model.stack import Action, Replacement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel_release.model.stack import Change

REST_API = "AWS::ApiGateway::RestApi"
WIDENED_BY_ADDING: Mapping[str, frozenset[str]] = {
    # type -> properties in which another element or key takes nothing away from those who use what was there
    REST_API: frozenset({"Body", "DefinitionBody"}),
    "AWS::DynamoDB::Table": frozenset({"AttributeDefinitions", "GlobalSecondaryIndexes"}),
    "AWS::Cognito::UserPoolClient": frozenset({"CallbackURLs", "LogoutURLs", "AllowedOAuthScopes"}),
}
ANY_METHOD = "x-amazon-apigateway-any-method"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", ANY_METHOD)
FREE_PARTS = frozenset({"components", "definitions", "info", "tags", "paths"})
"""Parts of an API definition that may grow, or say what they like, without a request noticing."""


def comparable(change: Change) -> bool:
    """Whether the texts tell more about this change than the change set does."""
    return change.action is Action.MODIFY and change.replacement is Replacement.NO and change.type in WIDENED_BY_ADDING


def compared(change: Change, before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    """The change with `gone` and `widens`, from the texts of the running template and the new one.

    A text that is not in both templates (SAM made the resource) tells nothing, and neither does a value that comes from
    somewhere else.
    """
    old, new = _properties(before, change.logical_id), _properties(after, change.logical_id)
    if not comparable(change) or old is None or new is None:
        return change
    adding = WIDENED_BY_ADDING[change.type]
    told = old != new and not any(detail.cause for detail in change.details)
    same = all(old.get(name) == new.get(name) for name in old.keys() | new.keys() if name not in adding)
    if change.type == REST_API:
        once, now = _body(old), _body(new)
        gone = tuple(sorted(operations(once).keys() - operations(now).keys()))
        return replace(change, gone=gone, widens=told and same and not gone and _api_widens(once, now))
    return replace(change, widens=told and same and all(_grows(old.get(name), new.get(name)) for name in adding))


def operations(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """`GET /api/usage` -> its text, for every operation of an OpenAPI definition."""
    paths = body.get("paths")
    return {
        f"{'ANY' if method == ANY_METHOD else method.upper()} {path}": item[method]
        for path, item in (paths.items() if isinstance(paths, dict) else ())
        if isinstance(item, dict)
        for method in METHODS
        if method in item
    }


def _properties(template: Mapping[str, Any], logical_id: str) -> Mapping[str, Any] | None:
    resource = template.get("Resources", {}).get(logical_id)
    found = resource.get("Properties") if isinstance(resource, dict) else None
    return found if isinstance(found, dict) else None


def _body(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    found = properties.get("DefinitionBody", properties.get("Body"))
    return found if isinstance(found, dict) else {}


def _api_widens(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether every operation that was there is there unchanged, and so is what all of them share."""
    now = operations(new)
    kept = all(now.get(name) == text for name, text in operations(old).items())
    shared = all(old.get(part) == new.get(part) for part in old.keys() | new.keys() if part not in FREE_PARTS)
    return kept and shared and all(_keeps(old.get(part), new.get(part)) for part in ("components", "definitions"))


def _keeps(old: Any, new: Any) -> bool:
    """Whether the named texts below (by kind and name, or by name) are there unchanged."""
    if not isinstance(old, dict):
        return old is None or bool(old == new)
    return isinstance(new, dict) and all(
        new.get(name) == text or (isinstance(text, dict) and isinstance(new.get(name), dict) and _adds(text, new[name]))
        for name, text in old.items()
    )


def _adds(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return all(new.get(name) == text for name, text in old.items())


def _grows(old: Any, new: Any) -> bool:
    """Whether every element of the old list is in the new one."""
    if old is None:
        return True
    if isinstance(old, list) and isinstance(new, list):
        return all(one in new for one in old)
    return bool(old == new)
