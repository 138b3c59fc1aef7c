"""A real process on a terminal of its own: colours, NO_COLOR, --quiet and --verbose."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from dataclasses import dataclass

import pytest

SCRIPT = """
import sys
from manuel_release.cli import root
from manuel_release.model.check import Check, Level, Report
from manuel_release.view.doctor import ReportScreen

class App:
    def __init__(self, options, screen):
        self.options, self.screen = options, screen
        screen.warn("a warning")
        screen.say("a line")
        screen.trace("a detail")
        screen.show(ReportScreen(Report((Check(Level.ERROR, "Stack", "it is stuck"),))))
        raise SystemExit(0)

root.main(sys.argv[1:], obj=App)
"""
ESCAPE = "\x1b"


@dataclass
class Seen:
    """What came to the terminal, by stdout and stderr."""

    out: str
    err: str


def run(*arguments: str, **variables: str) -> Seen:
    """Run the command line with stdout and stderr each a terminal of its own."""
    environ = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "CI", "COLUMNS", "COVERAGE_PROCESS_START"}}
    pairs = [pty.openpty() for _ in range(2)]
    try:
        subprocess.run(
            [sys.executable, "-c", SCRIPT, "status", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=pairs[0][1],
            stderr=pairs[1][1],
            env={**environ, "TERM": "xterm-256color", **variables},
            check=True,
            timeout=60,
        )
        return Seen(*(os.read(master, 65536).decode() if _waiting(master) else "" for master, _ in pairs))
    finally:
        for descriptor in (one for pair in pairs for one in pair):
            os.close(descriptor)


def _waiting(descriptor: int) -> bool:
    os.set_blocking(descriptor, False)
    import select  # noqa: PLC0415

    return bool(select.select([descriptor], [], [], 0)[0])


def test_a_terminal_gets_colours() -> None:
    seen = run()

    assert ESCAPE in seen.out
    assert ESCAPE in seen.err


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [((), {"NO_COLOR": "1"}), (("--no-color",), {}), ((), {"TERM": "dumb"})],
)
def test_no_color_takes_every_escape_code_away_and_leaves_the_words(arguments, variables) -> None:
    seen = run(*arguments, **variables)

    assert ESCAPE not in seen.out + seen.err
    assert "✖  Stack  error: it is stuck" in seen.out
    assert "Warning: a warning" in seen.err


def test_an_empty_no_color_counts_as_none() -> None:
    """https://no-color.org: the variable counts when it is present and not empty."""
    assert ESCAPE in run(NO_COLOR="").out


def test_quiet_leaves_the_answer_and_the_warnings() -> None:
    seen = run("--quiet")

    assert "it is stuck" in seen.out
    assert "a warning" in seen.err
    assert "a line" not in seen.err


def test_verbose_adds_details_on_stderr_and_nothing_to_the_answer() -> None:
    plain, verbose = run("--no-color"), run("--no-color", "--verbose")

    assert verbose.out == plain.out
    assert "a detail" in verbose.err
    assert "a detail" not in plain.err
    assert "a line" in plain.err
