"""Gates on screen and as documents: what waits, and the package that is decided on."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.model.approval import GATES
from manuel_release.view import package_parts, symbols, words
from manuel_release.view.as_json import SCHEMA_VERSION, Document, time
from manuel_release.view.layout import facts, headline, indented, table
from manuel_release.view.members import printable

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
    """What is decided on, its hash, who decided so far, and how one decides."""

    package: Package
    digest: str
    decisions: Sequence[Decision]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Facts, a block for each part, and the commands; the last one decides."""
        one = self.package
        yield headline(f"Package of the gate {printable(str(one.gate))}")
        yield facts(
            ("summary", printable(str(one.summary))),
            ("commit", printable(str(one.commit))),
            ("author", printable(str(one.author or "unknown"))),
            ("build", printable(str(one.code_digest))),
            ("execution", printable(str(one.execution_id))),
            ("hash", self.digest),
        )
        for block in package_parts.blocks(one.parts, ascii_only=options.ascii_only):
            yield ""
            yield from block
        if self.decisions:
            yield ""
            yield table(
                ("decision", "role", "choice", "by"),
                [(d.decision, d.role, d.choice, d.by) for d in self.decisions],
                keep=(0, 1, 2),
            )
        yield ""
        yield from self._ways(options.max_width)

    def _ways(self, columns: int) -> Iterator[RenderableType]:
        """Everything else that one can do, then the approval in each role that has not given it."""
        gate = printable(str(self.package.gate))
        known, options = GATES.get(gate), f"--gate {shlex.quote(gate)} --role"
        given = {d.role for d in self.decisions if (d.decision, d.package_hash) == ("approved", self.digest)}
        roles = tuple(known.actions) if known is not None else ("ROLE",)
        roles = tuple(role for role in roles if role not in given) or roles
        yield indented("`--output json` shows all of it, and what differs in each change.")
        rejection = f"manuel-release approval reject {options} {roles[0]}"
        yield _command("Against it", rejection, "--reason WHY", columns)
        others = [f"`--choice {choice}`" for choice in (known.choices[1:] if known is not None else ())]
        if others:
            yield indented(f"Other choices: what follows, with {' or '.join(others)}")
        for role in roles:
            approval = f"manuel-release approval approve {options} {role}"
            yield _command("Next", approval, f"--package {self.digest}", columns)


def _command(label: str, beginning: str, end: str, columns: int) -> RenderableType:
    """On two lines where one is too narrow, as a shell reads them: no padding may follow the backslash."""
    from rich.text import Text  # noqa: PLC0415 - rich is loaded when something is drawn

    whole = f"  {label}: `{beginning} {end}`"
    return Text(whole if len(whole) <= columns else f"  {label}: `{beginning} \\\n    {end}`")


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
        "parts": dict(one.parts) if isinstance(one.parts, Mapping) else one.parts,
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
