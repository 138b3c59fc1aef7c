"""Every bad day that can be rehearsed, one after the other: does it end as the specification asks? Minutes each.

    python benchmarks/bad_days.py [--only KIND/STAGE] [--write docs/rehearsal.md]

Replaces the table between the two marks in the document. What was measured before stays in --keep and is not repeated.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from manuel_release.rehearsal.faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- bad days -->", "<!-- end of bad days -->"


def rehearse(fault: Fault) -> dict[str, Any]:
    """Rehearse one; the answer of `rehearse`."""
    tool = (sys.executable, "-P", "-m", "manuel_release")
    done = subprocess.run(
        [*tool, "rehearse", "--approve", "--output", "json", "--fault", fault.kind, "--fail-at", fault.stage],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def row(fault: Fault, answer: dict[str, Any]) -> str:
    """One line of the table."""
    back = answer.get("rollback") or {}
    by = str(back.get("by", "")).partition(" (")[0]  # without the machine
    by = "a build of the pipeline" if by.startswith("AWSCodeBuild-") else by
    who = f"{by} ({back['trigger'].partition(':')[0]})" if back else "nobody had to"
    seconds = back.get("seconds_to_traffic_restored")
    restored = "" if seconds is None else f", traffic restored after {seconds:.1f} s"
    ended = f"{answer['releases'].get('production', '?')} serves" if answer["ok"] else f"**{answer['failure'][:80]}**"
    minutes = f"{answer['seconds'] / 60:.1f} min"
    return f"| {fault.kind} | {fault.stage} | {fault.sentence} | {ended} | {who}{restored} | {minutes} |"


def table(rows: list[str]) -> str:
    """The whole table."""
    head = ["| `--fault` | `--fail-at` | what goes wrong | production at the end | taken back by | took |"]
    return "\n".join([*head, "|---|---|---|---|---|---|", *rows])


def main() -> int:
    """Rehearse what is asked for; 1 when a day did not end as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="KIND/STAGE")
    parser.add_argument("--keep", type=Path, default=ROOT / ".manuel" / "bad-days.jsonl")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    known: dict[str, dict[str, Any]] = {}
    if options.keep.exists():
        known = {one["day"]: one for one in map(json.loads, options.keep.read_text().splitlines()) if one["ok"]}
    rows, bad = [], 0
    for fault in FAULTS:
        day = f"{fault.kind}/{fault.stage}"
        if day not in known:
            if options.only and day not in options.only:
                continue
            print(f"{day} ...", file=sys.stderr, flush=True)
            known[day] = rehearse(fault) | {"day": day}
            options.keep.parent.mkdir(exist_ok=True)
            with options.keep.open("a") as kept:
                kept.write(json.dumps(known[day]) + "\n")
        rows.append(row(fault, known[day]))
        bad += not known[day]["ok"]
    print(table(rows))
    if options.write:
        text = options.write.read_text()
        before, rest = text.split(BEGIN)
        options.write.write_text(f"{before}{BEGIN}\n{table(rows)}\n{END}{rest.split(END)[1]}")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
