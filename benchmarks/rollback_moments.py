"""Rolls back at every moment of a release's life on the embedded AWS, and writes what it took.

    nice -n 5 .venv/bin/python benchmarks/rollback_moments.py --runs 5 --write docs/rollback.md

Each run is the command in a process of its own; seconds are counted from the start of that process, which is where a
key press arrives. About four minutes.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from manuel_release.rehearsal.process import EmbeddedCloud, Options, client_environment, scrubbed  # noqa: E402

BEGIN, END = "<!-- moments: begin -->", "<!-- moments: end -->"


@dataclass(frozen=True)
class Run:
    """One rollback: its JSON, its exit code, and how long the process took, in seconds."""

    answer: dict[str, Any]
    code: int
    seconds: float


def typed(service: Any, moment: Any, cache: Path) -> Run:
    """Type it once, with a cache that knows the API unless the moment is a cold one."""
    with tempfile.TemporaryDirectory() as empty:
        environment = scrubbed(dict(os.environ)) | client_environment(service.world.endpoint, service.world.region)
        environment |= {"XDG_CACHE_HOME": empty if moment.cold else str(cache), **moment.variables}
        command = [sys.executable, "-P", "-m", "manuel_release", "rollback", "--config", str(service.settings)]
        began = time.monotonic()
        done = subprocess.run(
            [*command, "--output", "json", *moment.arguments],
            env=environment,
            cwd=empty,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - began
    if done.returncode != moment.code:
        raise SystemExit(f"{moment.name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return Run(json.loads(done.stdout), done.returncode, seconds)


def measure(runs: int) -> list[tuple[Any, list[Run]]]:
    """Every moment, `runs` times."""
    moments: Any = importlib.import_module("emulator.rollback_moments")
    world: Any = importlib.import_module("emulator.gateway_world")
    releases: Any = importlib.import_module("emulator.release_world")
    found: list[tuple[Any, list[Run]]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            EmbeddedCloud.start(folder / "cloud", Options(shift_seconds_per_minute=3.0)) as cloud,
            world.World(cloud) as clients,
        ):
            os.environ.update(client_environment(clients.endpoint, clients.region))
            releases.make_ledger(clients)
            service = moments.Production(clients, folder, "fine", "production")
            service.make_account()
            for moment in (moments.MOMENTS[0], *moments.MOMENTS):  # the first fills the cache and is not counted
                rows = []
                for _ in range(runs):
                    with moments.at(service, moment):
                        rows.append(typed(service, moment, folder / "cache"))
                print(moment.name, *(f"{run.answer['seconds_to_traffic_restored']:.2f}" for run in rows), flush=True)
                found.append((moment, rows))
            service.close()
    return found[1:]


HEADINGS = (
    "when",
    "API calls until traffic was back",
    "seconds until then",
    "last answer of the bad release",
    "failed answers",
    "whole command",
    "ends with",
)


def table(found: list[tuple[Any, list[Run]]]) -> str:
    """The rows as Markdown: the worst of all runs where it says `most`, medians elsewhere."""
    lines = [_row(*HEADINGS), _row(*("---" for _ in HEADINGS))]
    for moment, runs in found:
        answers = [run.answer for run in runs]
        seconds = [one["seconds_to_traffic_restored"] for one in answers]
        last = [one["seconds_to_last_bad_response"] for one in answers]
        seen = [one for one in last if one is not None]
        lines.append(
            _row(
                moment.name,
                "-".join(str(calls) for calls in sorted({one["api_calls_before_restored"] for one in answers})),
                f"{statistics.median(seconds):.2f} (most {max(seconds):.2f})",
                f"after {max(seen):.2f} s at the most" if seen else "none was seen",
                str(max(one["failed_responses"] for one in answers)),
                f"{statistics.median(run.seconds for run in runs):.1f} s",
                str(runs[0].code),
            )
        )
    lines += ["", f"Medians of {len(found[0][1])} runs; Python {platform.python_version()}, {os.cpu_count()} cores."]
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def write(path: Path, text: str) -> None:
    """Put the table between its marks."""
    page = path.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", type=Path, help="page whose table is replaced; otherwise it is printed")
    given = parser.parse_args()
    rows = table(measure(given.runs))
    if given.write:
        write(given.write, rows)
    else:
        print(rows)
