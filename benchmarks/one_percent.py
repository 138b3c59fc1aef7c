"""A canary at 10 % that fails one request in a hundred more often: when the verdict takes it back, and when the limits.

    nice -n 5 .venv/bin/python benchmarks/one_percent.py --runs 6 --write docs/guard.md

Each run goes through the product's observing loop, judge, guard and rollback with AWS in memory and a simulated clock,
and once more with nobody observing, so that the release's alarms decide alone; the requests are the same. About ten
minutes of one core. With `--keep FILE` each run is written to a file, and an interrupted one goes on from there.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "tests")]

import pytest  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WORLD = importlib.import_module("unit.canary.one_percent")
BEGIN, END = "<!-- one percent: begin -->", "<!-- one percent: end -->"
GATE_SECONDS = 1800.0
"""So long the guard judges in these runs; a gate can wait two hours."""
LONGEST_SECONDS = 900.0 + 7200.0
"""As long as a canary can stay at its first share."""
VERDICT = "verdict"
ROWS = (
    (2.0, 0.0, 1.0),
    (20.0, 0.0, 1.0),
    (200.0, 0.0, 1.0),
    (2.0, 0.5, 1.0),
    (20.0, 0.5, 1.0),
    (200.0, 0.5, 1.0),
    (20.0, 0.5, 0.0),
    (200.0, 0.5, 0.0),
)
"""Requests per second, errors of the stable release and how many more the canary has, both in percent."""


@dataclass(frozen=True)
class Back:
    """A rollback: by what, so many seconds, canary requests and failures of them after the start."""

    trigger: str
    seconds: float
    requests: int
    failures: int


@dataclass(frozen=True)
class Run:
    """One seed: with an observer and a gate, with the alarms alone, and with every alarm taken to the letter."""

    judged: Back | None
    shared: Back | None
    literal: Back | None


def run(traffic: Any) -> Run:
    """The same requests, judged and not judged."""
    judged = trial(traffic, lambda one: (one.observe(), one.wait(0 if one.over else GATE_SECONDS)))
    alone = trial(traffic, lambda one: one.wait(LONGEST_SECONDS), heartbeat_seconds=1e6)
    first = next((ring for ring in alone.end.rings if not ring.name.endswith("4xx-rate")), None)
    return Run(
        _back(judged),
        _back(alone),
        Back(first.name, first.seconds, *alone.served(first.seconds)) if first is not None else None,
    )


def trial(traffic: Any, do: Callable[[Any], object], **settings: float) -> Any:
    """One trial, without what the guard says to its log."""
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as monkeypatch,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        made = WORLD.Trial(Path(folder) / "artifact", monkeypatch, traffic, **settings)
        do(made)
    return made


def _back(one: Any) -> Back | None:
    end = one.end
    return Back(end.trigger, end.seconds, end.requests, end.failures) if end.trigger else None


def cell(found: Sequence[Back | None]) -> str:
    """How many were taken back, and medians of when."""
    there = [one for one in found if one is not None]
    if not there:
        return "never"
    middle = [statistics.median(getattr(one, name) for one in there) for name in ("seconds", "requests", "failures")]
    share = "" if len(there) == len(found) else f"{len(there)} of {len(found)}: "
    rang = sum(one.trigger != VERDICT for one in there)
    note = f" (an alarm was first in {rang})" if 0 < rang < len(there) else ""
    return f"{share}{middle[0]:,.0f} s, {middle[1]:,.0f}, {middle[2]:,.0f}{note}"


def table(runs: dict[tuple[float, float, float], list[Run]]) -> str:
    """The rows as Markdown."""
    lines = [
        "| req/s | stable 5xx | canary | verdict | limits, `shared` | limits, to the letter |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for (rate, stable, more), found in runs.items():
        worse = f"+{more:g} pp" if more else "no worse"
        cells = [cell([getattr(one, name) for one in found]) for name in ("judged", "shared", "literal")]
        lines.append(f"| {rate:g} | {stable:g} % | {worse} | {' | '.join(cells)} |")
    return "\n".join(lines)


def kept(path: Path | None) -> dict[str, Run]:
    """What an interrupted run has written."""
    if path is None or not path.exists():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, each = json.loads(line)
        found[key] = Run(**{name: Back(**value) if value else None for name, value in each.items()})
    return found


def main() -> None:
    """Run every row and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=8, help="seeds for each row")
    parser.add_argument("--keep", type=Path, help="file of finished runs")
    parser.add_argument("--write", type=Path, help="document whose table is replaced")
    options = parser.parse_args()
    known = kept(options.keep)
    runs: dict[tuple[float, float, float], list[Run]] = {}
    for row in ROWS:
        rate, stable, more = row
        for seed in range(1, options.runs + 1):
            key = f"{row} {seed}"
            if key not in known:
                known[key] = run(WORLD.Traffic(rate, stable, stable + more, seed))
                if options.keep is not None:
                    with options.keep.open("a", encoding="utf-8") as file:
                        file.write(json.dumps([key, asdict(known[key])]) + "\n")
            runs.setdefault(row, []).append(known[key])
    text = table(runs)
    if options.write is None:
        print(text)
        return
    before, _, rest = options.write.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    options.write.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
