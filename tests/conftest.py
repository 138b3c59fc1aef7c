"""What every test gets: no credentials, no endpoint, and, where asked for, one embedded AWS for the whole run."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from manuel_release import programs
from manuel_release.rehearsal.process import EmbeddedCloud, Options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# Most of a minute or more each, the longest first.
LONGEST = (
    "test_rehearse.py",
    "test_deploy.py",
    "test_guard_rollback.py",
    "test_guard_events.py",
    "test_performance.py",
    "test_dead_ends.py",
    "test_crash_points.py",
    "test_chaos.py",
    "test_suites.py",
    "test_service.py",
    "test_kills.py",
    "test_doctor.py",
)
# An example takes as long as the machine is busy.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
BUILD = ("NOTIFICATION_TOPIC", "EXECUTION_ID", "ARTIFACTS_BUCKET")
"""What builds of the pipeline tell the tool; the tests run in one of them."""
SCREEN = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CI")


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches an account or an endpoint by accident."""
    for name in list(os.environ):
        if (name.startswith(("AWS_", "MANUEL_")) and name != "MANUEL_ENVS") or name in BUILD:
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture(autouse=True)
def _no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed depends neither on the terminal of who runs the tests, nor on their being distributed."""
    for name in SCREEN:
        monkeypatch.delenv(name, raising=False)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than processors: tests on the embedded AWS wait for about a third of their time."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests are shuffled, except that those of a story stay together and in the order in which they are written.

    Distributed, the modules that take longest begin first: otherwise the whole run waits for one of them at its end.
    """
    stories: dict[object, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("story"):
            stories.setdefault(item.path, []).append(item)
    told: set[object] = set()
    ordered: list[pytest.Item] = []
    for item in items:
        if item.path not in stories:
            ordered.append(item)
        elif item.path not in told:
            told.add(item.path)
            ordered.extend(sorted(stories[item.path], key=_written))
    if "PYTEST_XDIST_WORKER" in os.environ:
        ordered.sort(key=_length)
    items[:] = ordered


def _length(item: pytest.Item) -> int:
    """A small number for the longest modules, then those on the embedded AWS, then all others."""
    if item.path.name in LONGEST:
        return LONGEST.index(item.path.name)
    return len(LONGEST) + (item.get_closest_marker("emulator") is None)


def _written(item: pytest.Item) -> tuple[int, tuple[int, ...]]:
    """Where a test is written: its line, and the place of its parameters among them."""
    call = getattr(item, "callspec", None)
    return item.reportinfo()[1] or 0, tuple(call.indices.values()) if call is not None else ()


def emulator_command() -> tuple[str, ...]:
    """The emulator's Python, under coverage when this run measures it."""
    if "coverage" not in sys.modules or not os.environ.get("COVERAGE_RUN_ROOT"):
        return ()
    root = os.environ["COVERAGE_RUN_ROOT"]
    python = str(programs.program("emulator", "python"))
    return (python, "-m", "coverage", "run", f"--rcfile={root}/pyproject.toml", f"--data-file={root}/.coverage", "-p")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    """One embedded AWS for the run: alarms 60 times faster, everything else real; tests use names of their own."""
    folder: Path = tmp_path_factory.mktemp("cloud")
    with EmbeddedCloud.start(folder, Options(alarm_speed=60.0, command=emulator_command())) as running:
        yield running
        sys.stderr.write(running.log_tail())
