"""A running command tells what it does, in the form that suits the place."""

from __future__ import annotations

import re
import threading
import time

import pytest

from manuel_release.errors import ReleaseError
from manuel_release.model.progress import StepResult
from manuel_release.view.console import Screen
from manuel_release.view.progress import SIGN_OF_LIFE, CiProgress, LineProgress, LiveProgress, NoProgress, progress_for

CODES = re.compile(r"\r|\x1b\[[?0-9;]*[A-Za-z]")
DONE = StepResult("Update the stack", "done", 61.5, "12 resources")


@pytest.fixture
def screen(stream):
    def make(*, terminal=False, encoding="utf-8", **options):
        one = stream(terminal=terminal, encoding=encoding)
        return Screen(stream(), one, no_color=True, width=80, **options)

    return make


def until(true, seconds=20.0):
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


def threads(kind):
    """Whether a thread of this name or class lives."""
    return any(kind in {one.name, type(one).__name__} for one in threading.enumerate())


def visible(text):
    """What a terminal shows at the end: carriage returns, cursor up and clear line are obeyed."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\r|\n|\x1b\[[?0-9;]*[A-Za-z]|[^\r\n\x1b]+", text):
        if part == "\r":
            column = 0
        elif part == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif part.endswith("A"):
            row -= int(part[2:-1])
        elif part == "\x1b[2K":
            lines[row] = ""
        elif not part.startswith("\x1b"):
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + len(part) :]
            column += len(part)
    return [line for line in lines if line]


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, LineProgress),
        ({"ci": True}, CiProgress),
        ({"terminal": True}, LiveProgress),
        ({"terminal": True, "ci": True}, CiProgress),
        ({"terminal": True, "dumb": True}, LineProgress),
        ({"terminal": True, "quiet": True}, NoProgress),
        ({"terminal": True, "json_output": True}, LiveProgress),
    ],
)
def test_the_place_decides_how_progress_looks(screen, options, kind):
    assert type(progress_for(screen(**options))) is kind


def test_a_pipe_gets_one_line_at_the_start_and_one_at_the_end_of_a_step(screen):
    one = screen()
    progress = LineProgress(one)
    progress.start("Update the stack")
    progress.note("HealthFunction: UPDATE_IN_PROGRESS")
    progress.end(DONE)

    assert one.stderr.getvalue() == "Update the stack ...\n✔ Update the stack: done, 1 min 2 s (12 resources)\n"


def test_a_skipped_step_has_no_time_and_a_failed_one_says_why(screen):
    one = screen(encoding="ascii")
    progress = LineProgress(one)
    progress.end(StepResult("Publish", "skipped", 0.4))
    progress.end(StepResult("Smoke test", "failed", 3.0, "HTTP 500"))

    assert one.stderr.getvalue() == "- Publish: skipped\nx Smoke test: failed, 3.0 s (HTTP 500)\n"


def test_quiet_says_nothing(screen):
    one = screen(quiet=True)
    progress = progress_for(one)
    progress.start("Update the stack")
    progress.note("x")
    progress.end(DONE)

    assert one.stderr.getvalue() == ""


def test_a_build_service_gets_a_sign_of_life_with_the_latest_news(screen):
    one = screen(ci=True)
    clock = iter(range(0, 3000, 90))
    progress = CiProgress(one, clock=lambda: float(next(clock)), interval_seconds=0.02)
    progress.start("Update the stack")
    progress.note("HealthFunction: UPDATE_IN_PROGRESS")
    until(lambda: "HealthFunction" in one.stderr.getvalue())
    progress.end(DONE)

    lines = one.stderr.getvalue().splitlines()
    assert lines[0] == "Update the stack ..."
    assert lines[1].startswith("still Update the stack, 90 s")
    assert any("(HealthFunction: UPDATE_IN_PROGRESS)" in line for line in lines[1:-1])
    assert lines[-1] == "✔ Update the stack: done, 1 min 2 s (12 resources)"


def test_every_step_has_signs_of_life_and_news_of_its_own(screen):
    one = screen(ci=True)
    progress = CiProgress(one, interval_seconds=0.01)
    progress.start("first")
    progress.note("news of the first")
    until(lambda: "still first" in one.stderr.getvalue())
    progress.end(StepResult("first", "done", 1.0))
    progress.start("second")
    until(lambda: "still second" in one.stderr.getvalue())
    progress.end(StepResult("second", "done", 1.0))

    assert "news" not in one.stderr.getvalue().partition("second ...")[2]


@pytest.mark.parametrize("options", [{}, {"ci": True}, {"terminal": True}])
def test_a_step_may_end_that_never_began(screen, options):
    one = screen(**options)
    progress_for(one).end(StepResult("Publish", "skipped", 0.0))

    assert one.stderr.getvalue() == "• Publish: skipped\n"


def test_after_the_end_of_a_step_a_build_service_hears_nothing_more_of_it(screen):
    one = screen(ci=True)
    progress = CiProgress(one, interval_seconds=0.005)
    progress.start("Update the stack")
    progress.end(DONE)

    assert not threads(SIGN_OF_LIFE)


def test_an_error_in_the_middle_of_a_step_ends_its_signs_of_life(screen):
    one = screen(ci=True)
    CiProgress(one, interval_seconds=0.005).start("Update the stack")
    one.error(ReleaseError("broken"))

    assert not threads(SIGN_OF_LIFE)
    assert one.stderr.getvalue().splitlines()[-1] == "Error: broken"


def test_a_build_service_survives_a_step_that_was_never_ended(screen):
    one = screen(ci=True)
    progress = CiProgress(one, interval_seconds=0.005)
    progress.start("first")
    progress.start("second")
    progress.end(StepResult("second", "done", 1.0))

    assert one.stderr.getvalue().splitlines()[-1] == "✔ second: done, 1.0 s"
    assert not threads(SIGN_OF_LIFE)


def test_a_terminal_gets_a_moving_line_with_a_running_timer(screen):
    one = screen(terminal=True)
    seconds = [0.0]
    progress = LiveProgress(one, clock=lambda: seconds[0])
    progress.start("Update the stack")
    until(lambda: "Update the stack 0 s" in one.stderr.getvalue())
    seconds[0] = 75.2
    until(lambda: "Update the stack 75 s" in one.stderr.getvalue())
    progress.end(DONE)

    text = one.stderr.getvalue()
    assert text.endswith("✔ Update the stack: done, 1 min 2 s (12 resources)\n")
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1, "the cursor is hidden and comes back"


def test_notes_scroll_above_the_moving_line(screen):
    one = screen(terminal=True)
    progress = LiveProgress(one)
    progress.start("Update the stack")
    progress.note("HealthFunction: UPDATE_COMPLETE")
    one.say("said in between")
    progress.end(DONE)

    assert visible(one.stderr.getvalue()) == [
        "  HealthFunction: UPDATE_COMPLETE",
        "said in between",
        "✔ Update the stack: done, 1 min 2 s (12 resources)",
    ]


def test_the_moving_line_is_one_line_however_long_the_title(screen):
    one = screen(terminal=True)
    progress = LiveProgress(one)
    progress.start("word " * 60)
    until(lambda: "word" in one.stderr.getvalue())
    progress.end(StepResult("short", "done", 1.0))

    moving, _, _ = one.stderr.getvalue().partition("✔")
    frames = [CODES.sub("", frame) for frame in moving.split("\r")]
    assert all(len(frame.rstrip("\n")) < 80 and frame.rstrip().endswith(" s") for frame in frames if "word" in frame)
    assert moving.count("\x1b[1A") == 1, "one line to clear at the end"


def test_an_error_in_the_middle_of_a_step_gives_the_cursor_back(screen):
    one = screen(terminal=True)
    LiveProgress(one).start("Update the stack")
    one.error(ReleaseError("broken"))

    text = one.stderr.getvalue()
    assert text.index("\x1b[?25h") < text.index("Error: broken")
    until(lambda: not threads("_RefreshThread"))


def test_closing_a_screen_twice_is_harmless(screen):
    one = screen(terminal=True)
    LiveProgress(one).start("Update the stack")
    one.close()
    one.close()

    assert one.stderr.getvalue().count("\x1b[?25h") == 1


def test_steps_follow_each_other_even_when_one_was_never_ended(screen):
    one = screen(terminal=True)
    progress = LiveProgress(one)
    progress.start("first")
    progress.start("second")
    progress.end(StepResult("second", "done", 1.0))

    assert one.stderr.getvalue().endswith("✔ second: done, 1.0 s\n")
    assert one.stderr.getvalue().count("\x1b[?25l") == one.stderr.getvalue().count("\x1b[?25h")


def test_a_terminal_that_knows_only_ascii_gets_ascii(screen):
    one = screen(terminal=True, encoding="ascii")
    progress = LiveProgress(one)
    progress.start("Update the stack")
    progress.note("Müller")
    progress.end(DONE)

    assert one.stderr.getvalue().isascii()
    assert "M?ller" in one.stderr.getvalue()
