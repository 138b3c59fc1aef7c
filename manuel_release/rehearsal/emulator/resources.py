"""How a type is given to ministack's CloudFormation, and how its properties become requests to its service.

Creating, updating and deleting go through the very functions that answer the API, so a template is refused as a request
is. DeletionPolicy and UpdateReplacePolicy are ministack's own and hold for these types, too.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ministack.services.cloudformation import provisioners

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.targets import Caller, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from manuel_release.rehearsal.emulator.targets import Operation

Properties = dict[str, Any]
Made = tuple[str, dict[str, Any]]
"""Physical id (what `Ref` gives) and the attributes (what `Fn::GetAtt` gives)."""

REQUIRES = {
    "ministack.services.cloudformation.provisioners._CUSTOM_NAME_REPLACEMENT": None,
    "ministack.services.cloudformation.provisioners._REPLACING_PROPERTIES": None,
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS": None,
    "ministack.services.cloudformation.provisioners._STACK_TAG_PROPERTY": None,
    "ministack.services.cloudformation.provisioners._physical_name": (
        "stack_name", "logical_id", "lowercase", "max_len", "seeded",
    ),
    "ministack.services.cloudformation.provisioners._tag_map": ("tags",),
}  # fmt: skip


@dataclass(frozen=True)
class ResourceType:
    """How CloudFormation handles one type.

    create(logical_id, properties, stack_name); update(physical_id, old, new, stack_name, logical_id);
    delete(physical_id, properties). A change of one of `replacing` makes a new resource; `name` is the property that
    names it, under which no second one can be made. A failure is a ValueError with the sentence for the stack's events.
    """

    create: Callable[[str, Properties, str], Made]
    delete: Callable[[str, Properties], None]
    update: Callable[[str, Properties, Properties, str, str], Made] | None = None
    replacing: tuple[str, ...] = ()
    name: str = ""
    tags: tuple[str, str] | None = field(default=None)


def register(name: str, kind: ResourceType) -> None:
    """Make ministack's CloudFormation know a type."""
    handlers: dict[str, Any] = {"create": kind.create, "delete": kind.delete}
    if kind.update is not None:
        handlers |= {"update": kind.update, "update_with_logical_id": True}
    provisioners._RESOURCE_HANDLERS[name] = handlers
    provisioners._REPLACING_PROPERTIES[name] = kind.replacing
    if kind.name:
        provisioners._CUSTOM_NAME_REPLACEMENT[name] = {"name": kind.name}
    if kind.tags is not None:
        provisioners._STACK_TAG_PROPERTY[name] = kind.tags


def physical_name(properties: Properties, member: str, logical_id: str, stack_name: str, longest: int) -> str:
    """The name that the template gives, or one that CloudFormation makes, of at most `longest` characters."""
    return str(properties.get(member) or provisioners._physical_name(stack_name, logical_id, max_len=longest))


def checked(answer: tuple[int, Any, bytes]) -> Any:
    """The body of a ministack service's answer; raises ValueError with the service's sentence."""
    status, _headers, body = answer
    try:
        document = json.loads(body) if body else {}
    except ValueError:
        document = {"message": body.decode(errors="replace")}
    if status >= 400:
        raise ValueError(str(document.get("message") or document.get("Message") or document))
    return document


def as_flag(value: object) -> bool:
    """A template's boolean, which a parameter gives as text."""
    return str(value).lower() == "true"


@dataclass(frozen=True)
class Members:
    """How properties become members: with another first letter, or as `renamed`.

    A parameter gives numbers and booleans as text and a template gives texts as numbers, so members that are `numbers`
    and `flags` are told apart; the keys inside `maps` are the user's own and stay.
    """

    numbers: AbstractSet[str] = frozenset()
    flags: AbstractSet[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)
    maps: AbstractSet[str] = frozenset()

    def of(self, value: Any, member: str = "") -> Any:
        """The members of a request for these properties; `member` is the name of the one whose value this is."""
        if isinstance(value, dict):
            named = {self.renamed.get(name, name[:1].lower() + name[1:]): item for name, item in value.items()}
            return {name: self._map(item) if name in self.maps else self.of(item, name) for name, item in named.items()}
        if isinstance(value, list):
            return [self.of(item) for item in value]
        if member in self.flags:
            return as_flag(value)
        if member in self.numbers and str(value).lstrip("-").isdigit():
            return int(value)
        if isinstance(value, bool):
            return str(value).lower()
        return str(value) if isinstance(value, int | float) else value

    def _map(self, value: Any) -> dict[str, str]:
        found = json.loads(value) if isinstance(value, str) else value
        return {
            key: json.dumps(item) if isinstance(item, dict | list) else self.of(item)
            for key, item in (found or {}).items()
        }


def ask(service: str, operation: Operation, request: Properties) -> Properties:
    """Ask a service (`AWSCodeBuild`) on behalf of CloudFormation; raises ValueError in the words of a stack's event."""
    account_id, region = scope.current()
    try:
        return operation(request, Caller(f"arn:aws:iam::{account_id}:root", account_id, region))
    except ServiceError as error:
        raise ValueError(
            f"{error.message} (Service: {service}; Status Code: {error.status}; Error Code: {error.code}; "
            f"Request ID: {uuid.uuid4()}; Proxy: null)"
        ) from error


def tags(properties: Properties, key: str = "key", value: str = "value") -> list[dict[str, str]]:
    """Tags as an API has them, those of the stack too; `key` and `value` are the names of its members."""
    found = provisioners._tag_map(properties.get("Tags"))
    return [{key: name, value: text} for name, text in found.items() if not name.startswith("aws:")]
