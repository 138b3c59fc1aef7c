"""A request checked against the API's own model: required members, lengths, patterns, allowed values.

SDKs check a part of it before they send; the service checks all of it, and so does this.
https://docs.aws.amazon.com/codepipeline/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from botocore.model import Shape

    from manuel_release.rehearsal.emulator.targets import Body, Caller, Operation

TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,), "map": (dict,), "list": (list,), "string": (str,), "boolean": (bool,),
    "integer": (int,), "long": (int,), "double": (int, float), "float": (int, float),
}  # fmt: skip


@functools.cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def check(service: str, operation: str, body: dict[str, Any], code: str) -> None:
    """Raise the service's validation exception, called `code`, for a request that its model does not allow."""
    check_shape(_model(service).operation_model(operation).input_shape, body, code)


def checked(service: str, name: str, operation: Operation, code: str) -> Operation:
    """The operation `name`, which refuses with `code` what the service's model does not allow."""

    @functools.wraps(operation)
    def answer(body: Body, caller: Caller) -> Body:
        check(service, name, body, code)
        return operation(body, caller)

    return answer


def all_checked(service: str, operations: Mapping[str, Operation], code: str) -> dict[str, Operation]:
    """`checked` operations of a service, by name."""
    return {name: checked(service, name, operation, code) for name, operation in operations.items()}


def check_shape(shape: Shape | None, body: dict[str, Any], code: str) -> None:
    """Raise `code` with every difference between `body` and its shape, in AWS's words."""
    wrong = list(_wrong(shape, body, "")) if shape is not None else []
    if wrong:
        count = f"{len(wrong)} validation error{'s' if len(wrong) > 1 else ''} detected: "
        raise ServiceError(code, count + "; ".join(wrong))


def knows(service: str, operation: str) -> bool:
    """Whether the service's model has such an operation."""
    return operation in _model(service).operation_names


def _wrong(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    expected = TYPES.get(kind, (object,))
    if not isinstance(value, expected) or (isinstance(value, bool) and kind != "boolean"):
        yield _constraint(value, path, f"Member must be a {kind}")
        return
    look = _LOOKS.get(kind)
    if look is not None:
        yield from look(shape, value, path)


def _structure(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _constraint(None, _join(path, name), "Member must not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _wrong(member, value[name], _join(path, name))


def _list(shape: Any, value: list[Any], path: str) -> Iterator[str]:
    yield from _size(shape, value, path)
    for number, item in enumerate(value, 1):
        yield from _wrong(shape.member, item, f"{path}.{number}.member")


def _map(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    yield from _size(shape, value, path)
    for key, item in value.items():
        yield from _wrong(shape.key, key, f"{path}.key")
        yield from _wrong(shape.value, item, f"{path}.{key}.member")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _constraint(value: Any, path: str, words: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {words}"


def _size(shape: Any, value: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        yield _constraint(value, path, f"Member must have length greater than or equal to {least}")
    if most is not None and len(value) > most:
        yield _constraint(value, path, f"Member must have length less than or equal to {most}")


def _string(shape: Any, value: str, path: str) -> Iterator[str]:
    yield from _size(shape, value, path)
    allowed = getattr(shape, "enum", None)
    if allowed and value not in allowed:
        yield _constraint(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and "\\p{" not in pattern and not re.fullmatch(pattern, value, re.DOTALL):
        yield _constraint(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _range(shape: Any, value: float, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield _constraint(value, path, f"Member must have value greater than or equal to {least}")
    if most is not None and value > most:
        yield _constraint(value, path, f"Member must have value less than or equal to {most}")


_LOOKS: dict[str, Callable[[Any, Any, str], Iterator[str]]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _range,
    "long": _range,
    "double": _range,
}
