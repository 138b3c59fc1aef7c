"""The benchmark's tables in Markdown."""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING

from canary_scenarios import RATES

from manuel_release.verdict.selftest import wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from canary_benchmark import Outcome, Results
    from canary_releases import Release

OURS = (
    "judge",
    "judge, declared per request",
    "judge, declared per user",
    "judge, one-minute data",
)
RIVALS = (
    "judge or limits, shared held",
    "limits, shared incidents held",
    "limits, to the letter",
    "CloudWatch 3 of 5",
    "Mann-Whitney",
    "5 failed checks",
    "3 failed in a row",
)
Row = list[str]


def _table(head: Row, rows: Iterable[Row]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _rate(hits: int, runs: int) -> str:
    low, high = wilson(hits, runs)
    return f"{100 * hits / runs:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _pool(results: Results, keep: Callable[[Release], bool], name: str) -> list[Outcome]:
    return [o for key, r in results.releases.items() if keep(r) for o in results.outcomes[key].get(name, [])]


def _groups(results: Results, *, harmless: bool) -> list[str]:
    return list(dict.fromkeys(r.group for r in results.releases.values() if r.harmless is harmless))


def _alarms(results: Results, keep: Callable[[Release], bool], name: str) -> str:
    outcomes = _pool(results, keep, name)
    return _rate(sum(o.at is not None for o in outcomes), len(outcomes)) if outcomes else "-"


def _of(group: str, per_second: float | None = None) -> Callable[[Release], bool]:
    """Whether a release is of that group, and of that traffic where one is named."""
    return lambda r: r.group == group and per_second in {None, r.per_second}


def false_alarms(results: Results) -> str:
    groups = _groups(results, harmless=True)
    rows = [[name, *(_alarms(results, _of(group), name) for group in groups)] for name in (*OURS, *RIVALS)]
    return _table(["rolled back, % [95 %]", *groups], rows)


def false_alarms_by_traffic(results: Results) -> str:
    rows = []
    for group in ("A/A", "shared incident"):
        for rate in RATES:
            cells = [
                _alarms(results, _of(group, rate), name)
                for name in ("judge", "judge, declared per request", "judge or limits, shared held")
            ]
            runs = len(_pool(results, _of(group, rate), "judge"))
            rows.append([group, f"{rate:g}", str(runs), *cells])
    head = ["releases", "req/s", "runs", "judge", "judge, declared per request", "judge or limits, shared held"]
    return _table(head, rows)


def detection(results: Results) -> str:
    groups = _groups(results, harmless=False)

    def cell(name: str, group: str) -> str:
        outcomes = _pool(results, lambda r: r.group == group, name)
        return f"{100 * sum(o.at is not None for o in outcomes) / len(outcomes):.0f}" if outcomes else "-"

    names = ("O1", "O2", *OURS, *RIVALS)
    return _table(["found, %", *groups], [[name, *(cell(name, group) for group in groups)] for name in names])


def _cell_medians(results: Results, key: str, name: str) -> tuple[float, float, float, bool]:
    """Median delay and requests, mean errors of one release; not found counts as the whole window."""
    release = results.releases[key]
    whole = release.seconds - release.onset
    outcomes = results.outcomes[key][name]
    delays = [max(10.0, o.at - release.onset) if o.at is not None else whole for o in outcomes]
    found = 2 * sum(o.at is not None for o in outcomes) >= len(outcomes)
    errors = sum(o.errors for o in outcomes) / len(outcomes)
    return median(delays), max(1.0, median(o.requests for o in outcomes)), errors, found


def speed(results: Results) -> str:
    """Geometric means over the 5xx releases that the clairvoyant oracle finds in 90 % of runs."""
    cells = [
        key
        for key, r in results.releases.items()
        if "O1" in results.outcomes[key]
        and r.run_length <= 1.0
        and sum(o.at is not None for o in results.outcomes[key]["O1"]) >= 0.9 * len(results.outcomes[key]["O1"])
    ]
    if not cells:
        return "no release"
    rows = []
    for name in ("O1", "O2", *OURS, *RIVALS):
        sums = [0.0, 0.0, 0.0]
        found = 0
        for key in cells:
            mine, other = _cell_medians(results, key, name), _cell_medians(results, key, "O2")
            for i in range(3):
                sums[i] += math.log(max(mine[i], 0.5) / max(other[i], 0.5))
            found += mine[3]
        least = "" if found == len(cells) else ">= "
        ratios = [f"{least}{math.exp(value / len(cells)):.2f}" for value in sums]
        rows.append([name, f"{found}/{len(cells)}", ratios[1], ratios[0], ratios[2]])
    return _table(["5xx", "releases found", "canary requests / O2", "delay / O2", "5xx that users got / O2"], rows)


def key_releases(results: Results) -> str:
    names = ("O2", "judge", "judge, one-minute data", "limits, to the letter", "CloudWatch 3 of 5", "Mann-Whitney")
    wanted = [
        key
        for key, r in results.releases.items()
        if not r.harmless
        and r.per_second in {2.0, 20.0, 200.0}
        and (r.errors_5xx in {0.001, 0.005} or r.group.startswith("latency"))
        and r.group in {"5xx +0.5 pp", "5xx +5 pp", "5xx +50 pp", "5xx from 450 s", "latency x1.5", "latency x3"}
    ]
    rows = []
    for key in wanted:
        row = [key]
        for name in names:
            if name not in results.outcomes[key]:
                row.append("-")
                continue
            delay, requests, errors, found = _cell_medians(results, key, name)
            row.append(f"{delay:.0f} s, {requests:.0f}, {errors:.0f}" if found else f"never, {errors:.0f}")
        rows.append(row)
    return _table(["median delay, canary requests; mean canary 5xx", *names], rows)


def _slow_share(release: Release) -> float:
    """How many of the canary's requests are slower than the stable arm's P95, over the stable arm's 5 %."""
    z = 1.6448536 - math.log(release.slower) / 0.5
    slow = 0.5 * math.erfc(z / math.sqrt(2.0))
    return (1.0 - release.tail) * slow + release.tail - 0.05


def promotion(results: Results) -> str:
    def worse(r: Release) -> bool:
        constant = not r.onset and r.on_off is None
        return constant and (r.added_5xx >= 0.005 or r.added_4xx >= 0.02 or _slow_share(r) >= 0.05)

    wrong = _pool(results, worse, "judge")
    lines = []
    if wrong:
        hits = sum(o.good_at is not None for o in wrong)
        lines.append(f"Called good although worse by a margin or more from the start: {hits} of {len(wrong)} runs, ")
        lines.append(f"{_rate(hits, len(wrong))} % (bound 5 %).\n")
    by_cell: dict[float, Row] = defaultdict(list)
    for key, r in results.releases.items():
        if r.group == "A/A":
            outcomes = results.outcomes[key]["judge"]
            good = [o.good_at for o in outcomes if o.good_at is not None]
            when = f", {median(good):.0f} s" if good else ""
            by_cell[r.errors_5xx].append(f"{100 * len(good) / len(outcomes):.0f} %{when}")
    rows = [[f"{100 * p:g} % 5xx", *cells] for p, cells in by_cell.items()]
    return "".join(lines) + "\n" + _table(["A/A called good, median time", *(f"{r:g} req/s" for r in RATES)], rows)


def tables(results: Results, seed: int) -> str:
    spent = sorted(results.update_seconds)
    parts = [
        (
            f"Seed {seed}, {len(results.releases)} kinds of release, {results.runs:,} releases, "
            f"{results.cpu_seconds / 60.0:.0f} min of one core. "
            f"One update took {1000 * spent[len(spent) // 2]:.2f} ms in the median and "
            f"{1000 * spent[int(0.999 * len(spent))]:.2f} ms in 999 of 1,000 cases (49 latency buckets)."
        ),
        "### False alarms by traffic\n",
        false_alarms_by_traffic(results),
        "### False alarms by kind of harmless release\n",
        false_alarms(results),
        "### Found within 15 minutes, all traffic levels together\n",
        detection(results),
        "### Speed on 5xx\n",
        speed(results),
        "### Single releases\n",
        key_releases(results),
        "### Good\n",
        promotion(results),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts)
