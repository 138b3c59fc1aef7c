"""Every command dies before and after each of its calls that change something, and the world is put right each time.

The calls are found by a run that lives, so a new one is covered by itself. In an ordinary run a seeded sample is tried
for at most SAMPLE_SECONDS. With MANUEL_CRASH_SHARD, as `make test-crash` has it, all are: 2/4 is the second quarter, an
empty one everything.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from typing import TYPE_CHECKING

import pytest
from crash.points import COMMANDS, Command, Outcome, Point, die, record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crash.crash_world import CrashWorld

pytestmark = pytest.mark.emulator

SAMPLE_SECONDS = 60.0
ONE_SECONDS = 10.0
"""What one may take at the most, with the recording of its command."""
SLICES = 8
"""Tests of one command: workers share them, and each worker records the command once."""

Job = tuple[Command, Point, str]


def shard(text: str) -> tuple[int, int]:
    """`2/4` is (2, 4); empty for everything. Raises ValueError."""
    part, _, of = (text or "1/1").partition("/")
    if not 1 <= int(part) <= int(of):
        raise ValueError(f"MANUEL_CRASH_SHARD={text} is no part of a whole, such as 2/4")
    return int(part), int(of)


EVERYTHING = "MANUEL_CRASH_SHARD" in os.environ
PART, PARTS = shard(os.environ.get("MANUEL_CRASH_SHARD", ""))


def jobs(command: Command, points: Sequence[Point]) -> list[Job]:
    """Every death of a command with everything that it may be followed by."""
    return [(command, point, recovery) for point in points for recovery in command.recoveries]


def mine(all_jobs: Sequence[Job], piece: int, part: int = PART, parts: int = PARTS) -> Iterator[Job]:
    """Those of one test: of this run's shard, every SLICES-th."""
    for number, job in enumerate(all_jobs):
        if number % (SLICES * parts) == (part - 1) * SLICES + piece:
            yield job


def failed(outcomes: Sequence[Outcome]) -> str:
    """What a person needs to know of those that were not put right."""
    return "\n".join(str(one) for one in outcomes if one.wrong)


@pytest.fixture(scope="session")
def points(service: CrashWorld) -> Callable[[Command], tuple[Point, ...]]:
    """The points of a command, recorded once for a worker."""
    known: dict[str, tuple[Point, ...]] = {}

    def of(command: Command) -> tuple[Point, ...]:
        if command.name not in known:
            known[command.name] = record(service, command)
        return known[command.name]

    return of


@pytest.mark.skipif(not EVERYTHING, reason="the full set is `make test-crash`; the sample below stands in for it")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("piece", range(SLICES if EVERYTHING else 1))
@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_a_death_anywhere_leaves_a_world_that_is_put_right(service, points, command: Command, piece: int) -> None:
    outcomes = [die(service, *job) for job in mine(jobs(command, points(command)), piece)]

    assert not failed(outcomes)


@pytest.mark.skipif(EVERYTHING, reason="all of them are tried")
def test_a_sample_of_deaths_leaves_a_world_that_is_put_right(service, points, seed: int) -> None:
    ends, lot = time.monotonic() + SAMPLE_SECONDS, random.Random(seed)
    commands = itertools.cycle(lot.sample(COMMANDS, len(COMMANDS)))
    outcomes: list[Outcome] = []
    while time.monotonic() < ends - ONE_SECONDS:
        command = next(commands)
        outcomes.append(die(service, *lot.choice(jobs(command, points(command)))))

    assert not failed(outcomes)
    assert outcomes
