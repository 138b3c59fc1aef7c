"""References to variables, `#{namespace.key}`, and what they stand for.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PIPELINE, ITSELF = "variables", "codepipeline"
_REFERENCE = re.compile(r"#\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z0-9@\-_]+\Z")


class UnresolvedError(Exception):
    """A reference stands for nothing: the action that has it fails."""


def references(text: str) -> Iterator[tuple[str, str]]:
    """Namespace and key of every reference; raises UnresolvedError for one that is not `#{namespace.key}`."""
    for found in _REFERENCE.findall(text):
        namespace, dot, key = found.strip().partition(".")
        if not dot or not _NAME.match(namespace) or not _NAME.match(key):
            raise UnresolvedError(
                f"#{{{found}}} is not a valid variable reference: it is a namespace and a key separated by a period"
            )
        yield namespace, key


def resolve(text: str, namespaces: Mapping[str, Mapping[str, str]]) -> str:
    """The text with each reference replaced; raises UnresolvedError for an unknown namespace or key."""
    for namespace, key in references(text):
        if namespace not in namespaces:
            raise UnresolvedError(f"#{{{namespace}.{key}}} refers to a namespace that no action has written")
        if key not in namespaces[namespace]:
            raise UnresolvedError(f"#{{{namespace}.{key}}} refers to a variable that the namespace does not have")

    def value(found: re.Match[str]) -> str:
        namespace, _dot, key = found[1].strip().partition(".")
        return namespaces[namespace][key]

    return _REFERENCE.sub(value, text)
