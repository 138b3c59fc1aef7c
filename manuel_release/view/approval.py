"""Gates on screen and as documents: what waits, and the package that is decided on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.view import symbols, words
from manuel_release.view.as_json import SCHEMA_VERSION, Document, time
from manuel_release.view.layout import facts, headline, indented, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.approval import Decision, Package, PendingApproval


@dataclass(frozen=True)
class PendingScreen:
    """A row for each approval that waits, and the commands that decide."""

    pending: Sequence[PendingApproval]
    now: datetime

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """A table, or one line."""
        if not self.pending:
            yield headline("Nothing waits for a person", symbols.good("ok"), ascii_only=options.ascii_only)
            return
        text = f"{words.count(len(self.pending), 'approval')} waiting"
        yield headline(text, symbols.waiting("waits"), ascii_only=options.ascii_only)
        rows = [
            (one.gate.name, one.role, words.ago(one.since, self.now) if one.since else "", one.execution_id)
            for one in self.pending
        ]
        yield table(("gate", "role", "since", "execution"), rows, keep=(0, 1, 2))
        yield ""
        for name in dict.fromkeys(one.gate.name for one in self.pending):
            yield indented(f"Next: `manuel-release approval show --gate {name}`")


@dataclass(frozen=True)
class PackageScreen:
    """What is decided on, its hash, and who decided so far."""

    package: Package
    digest: str
    decisions: Sequence[Decision]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Facts, then a block for each part."""
        one = self.package
        yield headline(f"Package of the gate {one.gate}")
        yield facts(
            ("summary", one.summary),
            ("commit", one.commit),
            ("author", one.author or "unknown"),
            ("build", one.code_digest),
            ("execution", one.execution_id),
            ("hash", self.digest),
        )
        for name, part in sorted(one.parts.items()):
            yield ""
            yield headline(name)
            yield indented(json.dumps(part, indent=2, ensure_ascii=False, sort_keys=True))
        if self.decisions:
            yield ""
            yield table(
                ("decision", "role", "choice", "by"),
                [(d.decision, d.role, d.choice, d.by) for d in self.decisions],
                keep=(0, 1, 2),
            )


def pending_json(found: Sequence[PendingApproval]) -> Document:
    """The answer of `approval list`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "pending": [
            {
                "gate": one.gate.name,
                "role": one.role,
                "stage": one.gate.stage,
                "action": one.action,
                "execution_id": one.execution_id,
                "since": time(one.since),
                "choices": [choice.value for choice in one.gate.choices],
            }
            for one in found
        ],
    }


def package_json(one: Package, digest: str, decisions: Sequence[Decision]) -> Document:
    """The answer of `approval show` and `approval package`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "gate": one.gate,
        "execution_id": one.execution_id,
        "commit": one.commit,
        "author": one.author or None,
        "code_digest": one.code_digest,
        "package_hash": digest,
        "summary": one.summary,
        "parts": dict(one.parts),
        "decisions": [
            {
                "decision": d.decision,
                "role": d.role or None,
                "choice": d.choice or None,
                "package_hash": d.package_hash or None,
                "by": d.by,
                "at": time(d.at),
            }
            for d in decisions
        ],
    }


def decided_json(one: PendingApproval, decision: str, choice: str, digest: str) -> Document:
    """The answer of `approval approve` and `approval reject`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "gate": one.gate.name,
        "role": one.role,
        "execution_id": one.execution_id,
        "decision": decision,
        "choice": choice,
        "package_hash": digest or None,
    }


def checked_json(gate: str, execution: str, digest: str, share: float) -> Document:
    """The answer of `approval check`; `percent` is the share that comes next, 0 when nobody asked."""
    return {
        "schema_version": SCHEMA_VERSION,
        "gate": gate,
        "execution_id": execution,
        "package_hash": digest,
        "percent": share,
    }
