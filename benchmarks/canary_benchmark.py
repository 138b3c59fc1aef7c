"""Judges simulated releases by this judge, by oracles and by what people use today, and writes the tables.

    nice -n 15 .venv/bin/python benchmarks/canary_benchmark.py --seed 11 --write docs/verdict.md

Constants of the judge were chosen on other seeds. Single process; about half an hour of one core. With `--keep FILE`
each release is written to a file as soon as it is judged, and a run that was interrupted goes on from there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from canary_releases import intervals
from canary_rivals import Alarm, Clairvoyant, FailedChecks, LabelOracle, Limits, MannWhitney
from canary_scenarios import harmful_5xx, harmful_other, harmless
from canary_tables import tables

from manuel_release.verdict import ArmCounts, Judge, LimitsMode, Routing, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from canary_releases import Moment, Release
    from canary_rivals import Rival

ALPHA = 0.01
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


@dataclass
class Outcome:
    """One contestant on one release: when it rolled back (seconds), and what the canary had served since the onset."""

    at: float | None = None
    good_at: float | None = None
    requests: int = 0
    errors: int = 0


class Ours:
    """The judge through its stable entry; `every` intervals are summed first (6: one-minute data)."""

    def __init__(self, settings: Settings | None = None, every: int = 1) -> None:
        self._judge = Judge(ALPHA, settings)
        self._every = every
        self._waiting: list[Moment] = []
        self.good = False
        self.seconds: list[float] = []

    def warmup(self, now: Moment) -> None:
        self._judge.warmup(now.start, now.stable)

    def rolls_back(self, now: Moment, rho: float) -> bool:
        del rho
        self._waiting.append(now)
        if len(self._waiting) < self._every:
            return False
        stable, canary = (
            (now.stable, now.canary)
            if self._every == 1
            else (total([m.stable for m in self._waiting]), total([m.canary for m in self._waiting]))
        )
        self._waiting = []
        begin = time.process_time()
        value = self._judge.update(now.start + 10.0, stable, canary).value
        self.seconds.append(time.process_time() - begin)
        self.good = value == "promote"
        return value == "rollback"


def total(counts: list[ArmCounts]) -> ArmCounts:
    return ArmCounts(
        sum(c.requests for c in counts),
        sum(c.errors_4xx for c in counts),
        sum(c.errors_5xx for c in counts),
        tuple(sum(column) for column in zip(*(c.hist for c in counts), strict=True)),
        counts[-1].weight,
    )


CONTESTANTS: dict[str, Callable[[], Rival]] = {
    "O1": lambda: Clairvoyant(ALPHA),
    "O2": lambda: LabelOracle(ALPHA),
    "judge": Ours,
    "judge, declared per request": lambda: Ours(Settings(routing=Routing.PER_REQUEST)),
    "judge, declared per user": lambda: Ours(Settings(routing=Routing.PER_USER)),
    "judge, one-minute data": lambda: Ours(every=6),
    "limits, to the letter": lambda: Limits(LimitsMode.ABSOLUTE),
    "limits, shared incidents held": lambda: Limits(LimitsMode.SHARED),
    "CloudWatch 3 of 5": Alarm,
    "Mann-Whitney": MannWhitney,
    "5 failed checks": lambda: FailedChecks(5, in_a_row=False),
    "3 failed in a row": lambda: FailedChecks(3, in_a_row=True),
}
TOGETHER = "judge or limits, shared held"


NARROW = ["judge", "judge, declared per request", "limits, shared incidents held"]
"""Those that are judged on every run of a harmless release; the others on as many as of a harmful one, twice."""


@dataclass
class Results:
    """Every outcome, by release and contestant."""

    releases: dict[str, Release] = field(default_factory=dict)
    outcomes: dict[str, dict[str, list[Outcome]]] = field(default_factory=dict)
    runs: int = 0
    update_seconds: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0

    def add(self, release: Release, line: dict[str, Any]) -> None:
        self.releases[release.name] = release
        self.outcomes[release.name] = {
            name: [Outcome(**outcome) for outcome in outcomes] for name, outcomes in line["outcomes"].items()
        }
        self.runs += line["runs"]
        self.update_seconds += line["update_seconds"]
        self.cpu_seconds += line["cpu_seconds"]


def run(release: Release, seed: str, names: list[str]) -> tuple[dict[str, Outcome], list[float]]:
    """One release, all contestants on the same counts; each stops when it has rolled back."""
    contestants = {name: CONTESTANTS[name]() for name in names}
    outcomes = {name: Outcome() for name in names}
    requests = errors = 0
    for now in intervals(release, Random(seed)):
        if now.start < 0.0:
            for contestant in contestants.values():
                if isinstance(contestant, Ours):
                    contestant.warmup(now)
            continue
        if now.start >= release.onset:
            requests += now.canary.requests
            errors += now.canary.errors_5xx
        rho = min(0.95, now.canary.weight * release.share_factor)
        for name, contestant in contestants.items():
            outcome = outcomes[name]
            if outcome.at is None:
                outcome.requests, outcome.errors = requests, errors
                ask(contestant, now, rho, outcome)
    return outcomes, [s for c in contestants.values() if isinstance(c, Ours) for s in c.seconds]


def ask(contestant: Rival, now: Moment, rho: float, outcome: Outcome) -> None:
    if contestant.rolls_back(now, rho):
        outcome.at = now.start + 10.0
    elif isinstance(contestant, Ours) and contestant.good and outcome.good_at is None:
        outcome.good_at = now.start + 10.0


def together(outcomes: dict[str, Outcome]) -> Outcome:
    """What the tool does in its default: roll back when the judge or an unshared limit says so."""
    both = [outcomes["judge"], outcomes["limits, shared incidents held"]]
    return min(both, key=lambda one: one.at if one.at is not None else float("inf"))


def judge_release(release: Release, runs: int, seed: int, names: list[str], wide: int) -> dict[str, Any]:
    """All runs of one release; beyond the first `wide` only by the narrow choice of contestants."""
    begin = time.process_time()
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (*names, TOGETHER)}
    seconds: list[float] = []
    for i in range(runs):
        asked = names if i < wide else NARROW
        outcomes, spent = run(release, f"{seed}/{release.name}/{i}", asked)
        outcomes[TOGETHER] = together(outcomes)
        for name, outcome in outcomes.items():
            found[name].append(asdict(outcome))
        seconds += spent[:: max(1, len(spent) // 20)]
    cpu = time.process_time() - begin
    return {"name": release.name, "outcomes": found, "runs": runs, "update_seconds": seconds, "cpu_seconds": cpu}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--harmless-runs", type=int, default=250, help="runs of each harmless release")
    parser.add_argument("--harmful-runs", type=int, default=30, help="runs of each harmful release")
    parser.add_argument("--only", default="", help="releases whose name contains this")
    parser.add_argument("--write", type=Path, help="document whose tables are replaced")
    parser.add_argument("--keep", type=Path, help="file of judged releases, read and appended to")
    arguments = parser.parse_args()
    wide = 2 * arguments.harmful_runs
    rivals = [name for name in CONTESTANTS if name not in {"O1", "O2"}]
    without_o1 = [name for name in CONTESTANTS if name != "O1"]
    work = [(release, arguments.harmless_runs, rivals) for release in harmless()]
    work += [(release, arguments.harmful_runs, list(CONTESTANTS)) for release in harmful_5xx()]
    work += [(release, arguments.harmful_runs, without_o1) for release in harmful_other()]
    work = [task for task in work if arguments.only in task[0].name]
    kept = {}
    if arguments.keep and arguments.keep.exists():
        kept = {line["name"]: line for line in map(json.loads, arguments.keep.read_text(encoding="utf-8").splitlines())}
    results = Results()
    for number, (release, runs, names) in enumerate(work, 1):
        line = kept.get(release.name) or judge_release(release, runs, arguments.seed, names, wide)
        if arguments.keep and release.name not in kept:
            with arguments.keep.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        results.add(release, line)
        print(f"{number}/{len(work)} {release.name}", file=sys.stderr, flush=True)
    text = tables(results, arguments.seed)
    if arguments.write:
        document = arguments.write.read_text(encoding="utf-8")
        head, rest = document.split(BEGIN)
        arguments.write.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
