"""Breaks the service on purpose, one fault after the other, and notes whether the suite that guards against it sees it.

    .venv/bin/python tests/planted.py                     every fault; writes docs/planted-faults.md
    .venv/bin/python tests/planted.py no-rate-limit ...   only these; writes nothing

One embedded AWS and one deployment for the categories, one for the load; then each fault of tests/situations/faults/ is
put into the code of the functions, or into the template, which is deployed as a stack update. Exit code 1 when a fault
is not caught.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from emulator.service_world import Service, deployed  # noqa: E402 - the path is set above
from planting import Planting  # noqa: E402

from manuel_release import programs  # noqa: E402

FAULTS = ROOT / "tests/situations/faults"
PAGE = ROOT / "docs/planted-faults.md"
SUITE_SECONDS = 300
DEPLOYMENTS = {"": {"DailyQuotaLimit": "15"}, "load": {"DailyQuotaLimit": "500"}}  # suite to the service it is run on
CATEGORIES = ("api", "authentication", "security", "performance", "error_handling", "failure_scenarios", "workflows")


@dataclass(frozen=True)
class Change:
    """A text in a file of the service, and what replaces it."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Fault:
    """What is broken, and the category of the suites that has to notice.

    suite: `load` where only the performance suite under load can, since a category's few dozen requests are too few.
    """

    name: str
    says: str
    category: str
    changes: tuple[Change, ...]
    suite: str = ""

    @property
    def in_template(self) -> bool:
        """Whether the template is what is broken."""
        return any(change.file == "template.yaml" for change in self.changes)


@dataclass(frozen=True)
class Outcome:
    """What became of a fault: the test that failed first (empty when it was not caught), and the seconds it took."""

    fault: Fault
    caught_by: str
    why: str
    seconds: float


def read(path: Path) -> Fault:
    """A fault's description; raises KeyError or ValueError for what is none."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    changes = tuple(Change(one["file"], one["old"], one["new"]) for one in data["change"])
    return Fault(path.stem, data["says"], data["category"], changes, data.get("suite", ""))


def every() -> list[Fault]:
    """All faults, in the order of their categories."""
    return sorted((read(path) for path in FAULTS.glob("*.toml")), key=lambda one: (one.category, one.name))


def broken(fault: Fault, root: Path = ROOT) -> dict[str, str]:
    """File to its broken text; raises ValueError where the text to replace is not there exactly once."""
    texts: dict[str, str] = {}
    for change in fault.changes:
        text = texts.get(change.file) or (root / change.file).read_text(encoding="utf-8")
        if text.count(change.old) != 1:
            raise ValueError(f"{fault.name}: {change.file} holds the text to replace {text.count(change.old)} times")
        texts[change.file] = text.replace(change.old, change.new)
    return texts


def unbroken(file: str) -> dict[str, str]:
    """A file that is put in place of itself: what planting alone must not change."""
    return {file: (ROOT / file).read_text(encoding="utf-8")}


def suite(config: Path, categories: Sequence[str], told: dict[str, str], results: Path) -> tuple[str, str]:
    """Run categories until their first failure; the test that failed and why, both empty when none did."""
    python = programs.program("integration", "python")
    command = [
        *(str(python), str(ROOT / "tests/integration/test_runner.py"), "--environment", "dev", "--discover"),
        *("--config", str(config), "--profile", "full", "--first-failure", "--results", str(results)),
        *(f"--category={one}" for one in categories),
    ]
    try:
        done = subprocess.run(
            command,
            env=told,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SUITE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return "", f"nothing was seen within {SUITE_SECONDS} s"
    if done.returncode not in {0, 1}:
        raise RuntimeError(done.stdout + done.stderr)
    cases = json.loads((results / "results.json").read_text(encoding="utf-8"))["cases"]
    failed = [case for case in cases if case["outcome"] in {"failed", "error"}]
    return (failed[0]["name"], failed[0]["message"]) if failed else ("", "")


def under_load(config: Path, told: dict[str, str], results: Path) -> tuple[str, str]:
    """Run the performance suite; the check that failed and why, both empty when none did."""
    python = programs.program("integration", "python")
    command = [
        *(str(python), str(ROOT / "tests/integration/performance/run.py"), "--environment", "dev"),
        *("--config", str(config), "--profile", "basic", "--rate", "6", "--seconds", "60"),
        *("--results", str(results), "--baseline", str(results / "baseline")),
    ]
    done = subprocess.run(
        command,
        env=told,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SUITE_SECONDS,
    )
    if done.returncode not in {0, 1}:
        raise RuntimeError(done.stdout + done.stderr)
    checks = json.loads((results / "performance.json").read_text(encoding="utf-8"))["checks"]
    failed = [one for one in checks if not one["passed"]]
    return (f"load: {failed[0]['scenario']}, {failed[0]['name']}", failed[0]["sentence"]) if failed else ("", "")


def configuration(folder: Path, **changed: Any) -> Path:
    """The configuration of dev with the bounds of a rehearsal: nothing there is as slow as on AWS."""
    values = json.loads((ROOT / "tests/integration/test_config_dev.json").read_text(encoding="utf-8"))
    values |= {
        "p95_seconds": 2.0,
        "requests": 12,
        "learning_seconds": 10.0,
        "dependency_faults": ["bedrock-agent", "bedrock-agent-runtime", "bedrock-runtime", "transcribe"],
        **changed,
    }
    path = folder / "test_config_dev.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def environment(service: Service) -> dict[str, str]:
    """What the suites are told by variables when the service is on an embedded AWS."""
    return {
        **service.cloud.environment(),
        "MANUEL_TEST_FAULTS_URL": f"{service.cloud.ai_endpoint}/_rehearsal/faults",
        "MANUEL_TEST_RECORDING": str(ROOT / "tests/integration/fixtures/question.wav"),
        "MANUEL_TEST_RECORDING_SAYS": "What do I descale the kettle with?",
    }


def tried(faults: list[Fault], folder: Path, tell: Any) -> list[Outcome]:
    """Deploy for the categories and for the load, plant each fault there, run what has to notice it, take it out."""
    found: list[Outcome] = []
    for kind, parameters in DEPLOYMENTS.items():
        chosen = [fault for fault in faults if fault.suite == kind]
        if not chosen:
            continue
        there = folder / (kind or "categories")
        there.mkdir()
        with deployed(there, EnableAdvancedSecurity="true", **parameters) as service:
            found += _tried(chosen, service, there, tell)
    return [next(one for one in found if one.fault is fault) for fault in faults]


def _tried(faults: list[Fault], service: Service, folder: Path, tell: Any) -> list[Outcome]:
    planting, told = Planting(service), environment(service)
    load = faults[0].suite == "load"
    config = configuration(folder, p95_seconds=5.0) if load else configuration(folder)
    results = folder / "results"

    def seen(categories: Sequence[str]) -> tuple[str, str]:
        return under_load(config, told, results) if load else suite(config, categories, told, results)

    for control in ("src/app/manuel/http.py", "template.yaml"):
        with planting.planted(unbroken(control)):
            outcome = seen(CATEGORIES)
        if outcome != ("", ""):
            raise RuntimeError(f"the suites see a fault where none is ({control}): {outcome}")
    sys.stderr.write("✓ the good service passes when its code or its template is put in place of itself\n")
    outcomes = []
    for fault in faults:
        began = time.monotonic()
        with planting.planted(broken(fault)):
            caught_by, why = seen([fault.category])
        outcomes.append(Outcome(fault, caught_by, why, time.monotonic() - began))
        tell(outcomes[-1])
    return outcomes


def page(outcomes: list[Outcome]) -> str:
    """The table for people."""
    caught = sum(bool(one.caught_by) for one in outcomes)
    sentence = (
        f"Written by `make test-planted`: {caught} of {len(outcomes)} faults that were put into the service or its "
        "template on purpose were caught by the category of the integration suites that guards against them."
    )
    lines = [
        "# Planted faults",
        "",
        sentence,
        "",
        "| category | what is broken | where | caught by |",
        "|---|---|---|---|",
    ]
    for one in outcomes:
        where = ", ".join(sorted({f"`{change.file.removeprefix('src/app/manuel/')}`" for change in one.fault.changes}))
        test = f"`{one.caught_by.partition('[')[0]}`" if one.caught_by else "**not caught**"
        lines.append(f"| {one.fault.category} | {one.fault.says} | {where} | {test} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Try the faults that were asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="planted.py", description="Breaks the service and sees who notices.")
    parser.add_argument("names", nargs="*", help="faults; all of them without one")
    asked = parser.parse_args()
    found = every()
    unknown = sorted(set(asked.names) - {one.name for one in found})
    if unknown:
        parser.error(f"there is no fault called {', '.join(unknown)}")
    chosen = [one for one in found if not asked.names or one.name in asked.names]

    def tell(outcome: Outcome) -> None:
        mark = "✓" if outcome.caught_by else "✗"
        by = outcome.caught_by or "not caught"
        sys.stderr.write(f"{mark} {outcome.fault.category}: {outcome.fault.name}: {by} ({outcome.seconds:.0f} s)\n")
        sys.stderr.write(f"    {outcome.why[:300]}\n")

    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        outcomes = tried(chosen, Path(folder), tell)
    if not asked.names:
        PAGE.write_text(page(outcomes), encoding="utf-8")
    missed = [one.fault.name for one in outcomes if not one.caught_by]
    sys.stdout.write(f"{len(outcomes) - len(missed)} of {len(outcomes)} planted faults were caught.\n")
    if missed:
        sys.stdout.write(f"Not caught: {', '.join(missed)}.\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
