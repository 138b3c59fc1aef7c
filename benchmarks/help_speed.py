"""How much longer `manuel-release --help` takes than importing click alone.

Pairs of runs, one behind the other, so that a busy machine slows both; the median of their ratios is what counts.

    .venv/bin/python benchmarks/help_speed.py [--pairs 25]

Exit 1 when the median is above 1.3.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

LIMIT = 1.3
HELP = (str(Path(sys.executable).with_name("manuel-release")), "--help")
CLICK = (sys.executable, "-c", "import click")


def seconds(command: tuple[str, ...]) -> float:
    """Wall clock of one run."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=25, help="pairs of runs (25)")
    pairs = parser.parse_args().pairs
    for command in (HELP, CLICK):
        seconds(command)  # compiles what is not compiled yet
    measured = []
    for number in range(pairs):
        if number % 2:  # neither always comes first
            helped, click = seconds(HELP), seconds(CLICK)
        else:
            click, helped = seconds(CLICK), seconds(HELP)
        measured.append((helped, click))
    ratio = statistics.median(helped / click for helped, click in measured)
    for column, name in enumerate(("manuel-release --help", "import click")):
        middle = statistics.median(pair[column] for pair in measured)
        print(f"{name:<24} {middle * 1000:7.1f} ms (median of {pairs})")
    print(f"{'ratio':<24} {ratio:7.2f}    (at most {LIMIT})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
