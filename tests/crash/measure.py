"""Lets every command die at every point, and writes what came of it.

    nice -n 10 .venv/bin/python tests/crash/measure.py --results crash.jsonl --write docs/crash-safety.md

One after the other on one embedded AWS; half an hour and more. What `--results` has already is not tried again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from crash.crash_world import CrashWorld  # noqa: E402
from crash.points import AGAIN, COMMANDS, ROLLBACK, Command, Outcome, Point, die, record, recoveries  # noqa: E402
from emulator.gateway_world import World  # noqa: E402

from manuel_release.rehearsal.process import EmbeddedCloud, Options  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BEGIN, END = "<!-- points: begin -->", "<!-- points: end -->"


@dataclass(frozen=True)
class Row:
    """One death, as a line of the results."""

    command: str
    call: str
    number: int
    when: str
    recovery: str
    reached: bool
    wrong: tuple[str, ...]

    @classmethod
    def of(cls, outcome: Outcome) -> Row:
        point = outcome.point
        told = (point.call, point.number, point.when, outcome.recovery, outcome.reached, outcome.wrong)
        return cls(outcome.command.name, *told)

    @property
    def key(self) -> tuple[object, ...]:
        return (self.command, self.call, self.number, self.when, self.recovery)


def say(text: str) -> None:
    """For whoever waits."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def known(path: Path | None) -> list[Row]:
    """The results so far."""
    if path is None or not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Row(**{**json.loads(line), "wrong": tuple(json.loads(line)["wrong"])}) for line in lines]


def deaths(service: CrashWorld, commands: Sequence[Command], done: Iterable[Row], *, every: bool) -> Iterator[Row]:
    """Every death that is not done yet."""
    there = {row.key for row in done}
    for command in commands:
        points: tuple[Point, ...] = record(service, command)
        say(f"{command.name}: {len(points)} points")
        for point in points:
            for recovery in recoveries(command, point, every=every):
                if (command.name, point.call, point.number, point.when, recovery) in there:
                    continue
                outcome = die(service, command, point, recovery)
                if outcome.wrong:
                    say(str(outcome))
                yield Row.of(outcome)


def table(rows: Sequence[Row]) -> str:
    """The results as Markdown, a table for each command."""
    parts: list[str] = []
    for command in COMMANDS:
        ours = [row for row in rows if row.command == command.name]
        if not ours:
            continue
        points = {row.key[:4] for row in ours}
        parts += [f"### {command.name}", "", f"`{' '.join(command.words)}`: {len(points)} points.", ""]
        parts += [
            _row("call", "how often", "died, then the command again", "died, then `rollback`"),
            _row(*["---"] * 4),
        ]
        calls: dict[str, list[Row]] = defaultdict(list)
        for row in ours:
            calls[row.call].append(row)
        for call, found in calls.items():
            often = str(max(row.number for row in found))
            parts.append(_row(f"`{call}`", often, _told(found, AGAIN), _told(found, ROLLBACK)))
        parts.append("")
    right = sum(not row.wrong for row in rows)
    missed = sum(not row.reached for row in rows)
    told = f" In {missed} of them the call was not made: how often it is depends on the time that has passed."
    parts.append(f"{len(rows)} deaths, {right} put right.{told if missed else ''}")
    return "\n".join(parts)


def _told(rows: Iterable[Row], recovery: str) -> str:
    ours = [row for row in rows if row.recovery == recovery]
    right = sum(not row.wrong for row in ours)
    return f"{right} of {len(ours)} right" if ours else ""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def write(path: Path, text: str) -> None:
    """Put the tables between their marks."""
    page = path.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Do it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="part of a command's name")
    parser.add_argument("--results", type=Path, help="file that keeps each death, a JSON document in a line")
    parser.add_argument("--write", type=Path, help="page whose tables are replaced; otherwise they are printed")
    parser.add_argument("--once", action="store_true", help="one recovery for each death: half as many")
    given = parser.parse_args()
    rows = known(given.results)
    with (
        tempfile.TemporaryDirectory() as name,
        EmbeddedCloud.start(Path(name) / "cloud", Options(shift_seconds_per_minute=1.0)) as cloud,
        World(cloud) as world,
        CrashWorld(world, Path(name)) as service,
    ):
        commands = [one for one in COMMANDS if given.only in one.name]
        for row in deaths(service, commands, list(rows), every=not given.once):
            rows.append(row)
            if given.results:
                with given.results.open("a", encoding="utf-8") as kept:
                    kept.write(json.dumps(vars(row)) + "\n")
    if given.write:
        write(given.write, table(rows))
    else:
        say(table(rows))


if __name__ == "__main__":
    main()
