"""Five real processes are killed at a moment drawn by lot, each another command; the next one puts everything right."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from crash.consistency import deadly
from crash.points import COMMANDS, Command, recover, words

if TYPE_CHECKING:
    from crash.crash_world import CrashWorld

pytestmark = pytest.mark.emulator

KILLS = 5
SECONDS = 120.0


def begin(service: CrashWorld, command: Command) -> subprocess.Popen[bytes]:
    """The command as a person starts it."""
    return subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "manuel_release",
            *service.command(*words(service, command, new=True), canary=command.canary),
        ],
        cwd=service.folder,
        env=service.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def lifetime(service: CrashWorld, command: Command) -> float:
    """How many seconds the command takes when nobody kills it."""
    service.reset(command.state)
    began = time.monotonic()
    assert begin(service, command).wait(SECONDS) == 0
    return time.monotonic() - began


@pytest.mark.parametrize("number", range(KILLS))
def test_a_process_that_is_killed_leaves_a_world_that_is_put_right(service, seed: int, number: int) -> None:
    command = random.Random(seed).sample(COMMANDS, KILLS)[number]
    lot = random.Random(f"{seed} {number}")
    moment, recovery = lot.uniform(0, lifetime(service, command)), lot.choice(command.recoveries)
    service.reset(command.state)

    process = begin(service, command)
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    ended = process.wait(SECONDS)

    wrong = deadly(service, command.serving) + recover(service, command, recovery)
    told = f"{command.name}, killed after {moment:.2f} s, ended with {ended}; then {recovery}"
    assert not wrong, f"{told}: {wrong}"
