"""The pipeline on screen: what is wrong with its files, how it is built, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from manuel_release.model.pipeline import ExecutionStatus
from manuel_release.view import symbols, words
from manuel_release.view.layout import facts, headline, indented, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from rich.console import Console, ConsoleOptions, RenderableType

    from manuel_release.model.pipeline import Action, ActionState, Finding, Pipeline, PipelineState, StageState
    from manuel_release.view.layout import Cell
    from manuel_release.view.symbols import Mark

STATUS: Mapping[ExecutionStatus, Mark] = {
    ExecutionStatus.IN_PROGRESS: symbols.running("runs"),
    ExecutionStatus.WAITING: symbols.waiting("waits for a person"),
    ExecutionStatus.SUCCEEDED: symbols.good("done"),
    ExecutionStatus.FAILED: symbols.bad("failed"),
    ExecutionStatus.STOPPED: symbols.bad("stopped"),
    ExecutionStatus.STOPPING: symbols.running("stopping"),
    ExecutionStatus.CANCELLED: symbols.quiet("cancelled"),
    ExecutionStatus.SUPERSEDED: symbols.quiet("superseded"),
    ExecutionStatus.SKIPPED: symbols.quiet("skipped"),
    ExecutionStatus.ABANDONED: symbols.bad("abandoned"),
    ExecutionStatus.NOT_RUN: symbols.quiet("not run yet"),
}


@dataclass(frozen=True)
class FindingsScreen:
    """Everything that is wrong, by file, each with what to do; or that nothing is."""

    findings: Sequence[Finding]
    checked: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """A block for each file."""
        for file, found in groupby(sorted(self.findings, key=lambda one: one.file), key=lambda one: one.file):
            yield headline(file)
            for one in found:
                yield indented(f"{one.where}: {one.what}", style="red")
                yield indented(f"Why: {one.why}.", by=4)
                yield indented(f"Next: {one.hint}", by=4)
            yield ""
        if self.findings:
            text = f"{words.count(len(self.findings), 'finding')} in {self.checked}"
            yield headline(text, symbols.bad("wrong"), ascii_only=options.ascii_only)
        else:
            text = f"Nothing is wrong with {self.checked}"
            yield headline(text, symbols.good("ok"), ascii_only=options.ascii_only)


@dataclass(frozen=True)
class DiagramScreen:
    """Stages below each other; actions that run at the same time stand in one line."""

    pipeline: Pipeline

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """From the first stage to the last."""
        plain = options.ascii_only
        yield headline(f"{self.pipeline.name} ({self.pipeline.type}, {self.pipeline.mode.lower()})")
        for number, stage in enumerate(self.pipeline.stages, start=1):
            if number > 1:
                yield indented("|" if plain else "│", by=4)
            yield indented(f"{number:>2} {stage.name}", style="bold")
            for group in stage.groups:
                yield indented(" + ".join(_told(action) for action in group), by=7)


def _told(action: Action) -> str:
    if action.is_approval:
        minutes = action.timeout_minutes if action.timeout_minutes is not None else 7 * 24 * 60
        return f"{action.name}: a person decides within {words.duration(minutes * 60)}"
    what = action.configuration.get("ProjectName") or action.provider
    return f"{action.name}: {what}"


def mermaid(pipeline: Pipeline) -> str:
    """The pipeline as a Mermaid flowchart: a subgraph for each stage, approvals as rhombs."""
    lines, before = ["flowchart TB"], list[str]()
    for number, stage in enumerate(pipeline.stages, start=1):
        lines.append(f'    subgraph s{number}["{number}. {stage.name}"]')
        arrows: list[str] = []
        for order, group in enumerate(stage.groups, start=1):
            ids = [f"s{number}_{order}_{place}" for place, _ in enumerate(group, start=1)]
            for name, action in zip(ids, group, strict=True):
                text = _told(action).replace('"', "'")
                lines.append(f'        {name}{{"{text}"}}' if action.is_approval else f'        {name}["{text}"]')
            arrows += [f"    {one} --> {other}" for one in before for other in ids]
            before = ids
        lines += ["    end", *arrows]
    return "\n".join(lines)


@dataclass(frozen=True)
class PipelineScreen:
    """The pipeline now: the newest execution, each stage, and what to do next."""

    state: PipelineState
    now: datetime

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Facts, then a row for each stage."""
        newest = self.state.executions[0] if self.state.executions else None
        mark = STATUS[newest.status if newest else ExecutionStatus.NOT_RUN]
        yield headline(f"{self.state.name}: {mark.word}", mark, ascii_only=options.ascii_only)
        if newest is not None:
            yield facts(
                ("execution", newest.id),
                ("commit", f"{words.short_commit(newest.revision)} {newest.message}".strip()),
                ("started", f"{words.ago(newest.started_at, self.now)}, {newest.trigger}" if newest.started_at else ""),
                ("stopped", newest.stop_reason),
            )
        yield ""
        yield table(
            ("", "stage", "state"), [self._row(one, options.ascii_only) for one in self.state.stages], keep=(0, 1)
        )
        hints = [f"{one.name}: {_next(one)}" for one in self.state.stages if _next(one)]
        if hints:
            yield ""
        for hint in hints:
            yield indented(f"Next: {hint}")

    def _row(self, stage: StageState, ascii_only: bool) -> tuple[Cell, Cell, Cell]:
        waits = any(action.waits for action in stage.actions)
        mark = STATUS[ExecutionStatus.WAITING if waits else stage.status]
        parts = [(mark.word, mark.colour)]
        if stage.waiting_ids:
            parts.append((f"{words.count(len(stage.waiting_ids), 'execution')} at its door", "yellow"))
        if not stage.open:
            parts.append((f"paused: {stage.closed_reason or 'no reason given'}", "yellow"))
        parts += [(self._of(action), STATUS[action.status].colour) for action in stage.actions if _tells(action)]
        return (mark.sign(ascii_only), mark.colour), stage.name, tuple(parts)

    def _of(self, action: ActionState) -> str:
        if action.waits:
            since = f", asked {words.ago(action.changed_at, self.now)}" if action.changed_at else ""
            return f"{action.name} waits for a person{since}"
        return f"{action.name} {STATUS[action.status].word}: {action.error or action.summary}".rstrip(": ")


def _tells(action: ActionState) -> bool:
    return action.waits or action.status in {ExecutionStatus.FAILED, ExecutionStatus.ABANDONED}


def _next(stage: StageState) -> str:
    if any(action.waits for action in stage.actions):
        return "`manuel-release approval list`"
    if stage.status is ExecutionStatus.FAILED:
        return f"`manuel-release pipeline retry {stage.name}`, when the cause is gone"
    if not stage.open:
        return f"`manuel-release pipeline resume {stage.name}`"
    return ""
