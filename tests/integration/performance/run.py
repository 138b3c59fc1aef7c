"""The performance suite: `python tests/integration/performance/run.py --environment staging --profile full`.

Writes performance.xml (JUnit), performance.json, performance.html and performance.md (a table) into the results folder,
and keeps what was measured for the releases to come. Exit codes: 0 everything holds, 1 something does not, 2 it could
not run as asked, 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from botocore.exceptions import BotoCoreError, ClientError  # noqa: E402 - the path comes first
from integration.performance import baseline, judged, measured, plans, report  # noqa: E402
from integration.performance.cohort import Cohort, NotReadyError  # noqa: E402
from integration.suites.accounts import Accounts, SignInError  # noqa: E402
from integration.suites.client import Client  # noqa: E402
from integration.suites.config import Config, ConfigError, complete, load  # noqa: E402
from integration.suites.contract import Contract  # noqa: E402
from integration.suites.coverage import GATEWAY, Exercised  # noqa: E402
from integration.suites.discovery import discovered  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results"
KEPT = ROOT / ".manuel/performance"
ARTIFACT = ROOT / ".aws-sam/artifact/artifact.json"
NOT_RUN = (
    *(ConfigError, NotReadyError, SignInError, ClientError, BotoCoreError),
    *(HTTPException, OSError, RuntimeError, ValueError),
)
SLACK_SECONDS = 90.0  # for the load's own start and for its last answers


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="performance", description="Measure a deployed service under ordinary load.")
    parser.add_argument("--environment", required=True, help="dev, staging or production")
    parser.add_argument("--profile", choices=plans.PROFILES, help="how much; otherwise what the configuration says")
    parser.add_argument("--config", type=Path, help="by default test_config_ENVIRONMENT.json")
    parser.add_argument("--release", default="", help="every answer must be this release's")
    parser.add_argument("--rate", type=float, help="requests a second in all, instead of the profile's")
    parser.add_argument("--seconds", type=float, help="how long to measure, instead of the profile's")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the reports")
    parser.add_argument("--baseline", type=Path, default=KEPT, help="folder where releases' results are kept")
    asked = parser.parse_args(given)
    for name in ("rate", "seconds"):
        if getattr(asked, name) is not None and getattr(asked, name) <= 0:
            parser.error(f"--{name} must be more than 0")
    return asked


def configured(asked: argparse.Namespace) -> Config:
    """The environment's configuration with what its stack says; raises ConfigError."""
    environment = "production" if asked.environment == "prod" else asked.environment
    path = asked.config or Path(f"test_config_{environment}.json")
    config = load(path if path.is_file() else HERE.parent / path.name, environment)
    config = replace(config, profile=asked.profile or config.profile, expected_release=asked.release)
    return complete(discovered(config))


def shape(asked: argparse.Namespace, config: Config) -> plans.Profile:
    """The profile with what the command line changes."""
    profile = plans.PROFILES[config.profile]
    return replace(profile.at(asked.rate or profile.rate), measured=asked.seconds or profile.measured)


def scenarios(config: Config) -> tuple[tuple[plans.Scenario, ...], dict[str, str]]:
    """What is measured, and what is not and why: given accounts are spared questions in the smoke profile."""
    if config.make_users or config.profile != "smoke":
        return plans.SCENARIOS, {}
    why = "it costs the given accounts operations, and the smoke profile only reads where no users may be made"
    chosen = tuple(one for one in plans.SCENARIOS if not one.writes)
    return chosen, {one.name: why for one in plans.SCENARIOS if one.writes}


def loaded(plan: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Have a process of its own make the load; raises RuntimeError with what it said when it could not."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "load.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            out, err = process.communicate(json.dumps(plan), timeout=seconds + SLACK_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise RuntimeError(f"the load did not end {SLACK_SECONDS:.0f} s after its time") from None
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise RuntimeError(f"the load could not be made: {err.strip()[-2000:]}")
    told: dict[str, Any] = json.loads(out)
    return told


@contextlib.contextmanager
def gathered(config: Config) -> Iterator[Cohort]:
    """People, who are gone again at the end."""
    accounts = Accounts(config)
    cohort = Cohort(config, accounts, Client(config.url, Exercised(Contract({"paths": {}}))))
    try:
        yield cohort
    finally:
        cohort.leave()


@dataclass(frozen=True)
class Trial:
    """What was measured, once or twice, and what it says; before: what it was compared with."""

    found: dict[str, measured.Measurement]
    releases: Counter[str]
    release: str
    before: measured.Record | None
    comparisons: list[judged.Compared]
    checks: list[judged.Check]
    passes: int


def measure(plan: dict[str, Any], profile: plans.Profile, config: Config, records: list[measured.Record]) -> Trial:
    """Make the load, and make it again before a release is called slower."""
    told = [loaded(plan, profile.seconds)]
    found, releases = measured.from_load(told[0]), Counter(told[0]["releases"])
    release = config.expected_release or next(iter(_ours(releases)), "")
    before = baseline.previous(records, release, profile.name)
    history = [one for one in records if one.ok and one.profile == profile.name and one.release != release]
    comparisons = judged.compared(found, before, history) if before else []
    checks = judged.limits(found, config)
    if before and any(one.regressed for one in comparisons):
        told.append(loaded(plan, profile.seconds))
        found = measured.from_load(told[1])
        releases.update(told[1]["releases"])
        comparisons = judged.confirmed(comparisons, judged.compared(found, before, history))
        checks = _both(checks, judged.limits(found, config))
    checks += judged.regressions(comparisons) if before else [judged.no_baseline(profile.name)]
    unfinished, late = sum(int(one["unfinished"]) for one in told), max(float(one["late_seconds"]) for one in told)
    checks.append(judged.made(profile.seconds, late, unfinished))
    checks.append(judged.released(config.expected_release, releases))
    return Trial(found, releases, release, before, comparisons, checks, len(told))


def perform(asked: argparse.Namespace, config: Config) -> report.Outcome:
    """Measure, judge and keep; raises NotReadyError, RuntimeError, ValueError and boto's exceptions."""
    began, started_at = time.monotonic(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    chosen, left_out = scenarios(config)
    stores = baseline.stores(asked.baseline, config.region)
    records = stores.records(config.environment)
    profile = shape(asked, config)
    with gathered(config) as cohort:
        cohort.gather(plans.people_needed(profile, chosen, config.daily_quota))
        profile = plans.for_people(profile, len(cohort.people))
        if any(one.writes for one in chosen):
            cohort.learn()
        cohort.warm_up(chosen)
        trial = measure(plans.plan(profile, chosen, config.url, cohort.tokens), profile, config, records)
    checks = [*trial.checks, judged.clean(cohort.leftovers)]
    record = measured.Record(
        environment=config.environment,
        profile=profile.name,
        release=trial.release,
        commit=commit(),
        started_at=started_at,
        ok=all(one.passed for one in checks),
        scenarios=trial.found,
    )
    return report.Outcome(
        record=record,
        checks=checks,
        comparisons=trial.comparisons,
        baseline=trial.before.release if trial.before else "",
        records=[*(one for one in records if (one.release, one.profile) != (record.release, record.profile)), record],
        releases=trial.releases,
        url=config.url,
        seconds=time.monotonic() - began,
        rate=profile.rate,
        passes=trial.passes,
        left_out=left_out,
        kept=stores.keep(record) if record.release else (),
        notes=stores.notes,
    )


def _ours(releases: Counter[str]) -> list[str]:
    """The releases that answered, the most frequent first; API Gateway is none."""
    return [name for name, _ in releases.most_common() if name != GATEWAY]


def _both(first: list[judged.Check], second: list[judged.Check]) -> list[judged.Check]:
    """A limit has to hold each time that it was measured."""
    return [one if not one.passed else other for one, other in zip(first, second, strict=True)]


def commit() -> str:
    """What was built: the artifact says it, otherwise git; empty where neither does."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        return str(json.loads(ARTIFACT.read_text(encoding="utf-8"))["commit"])
    with contextlib.suppress(OSError):
        asked = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        return done.stdout.strip()
    return ""


def write(outcome: report.Outcome, folder: Path) -> None:
    """The reports."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "performance.xml").write_bytes(report.as_junit(outcome))
    (folder / "performance.json").write_text(json.dumps(report.as_json(outcome), indent=1) + "\n", encoding="utf-8")
    (folder / "performance.html").write_text(report.as_html(outcome), encoding="utf-8")
    (folder / "performance.md").write_text(report.as_markdown(outcome), encoding="utf-8")


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main(given: Sequence[str] | None = None) -> int:
    """Run; returns the exit code."""
    asked = arguments(given)
    previous = signal.signal(signal.SIGTERM, _interrupted)
    try:
        outcome = perform(asked, configured(asked))
    except NOT_RUN as error:
        sys.stderr.write(f"performance: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("performance: interrupted; users and manuals that were made are deleted.\n")
        return 130
    finally:
        signal.signal(signal.SIGTERM, previous)
    write(outcome, asked.results)
    sys.stdout.write(report.as_text(outcome, str(asked.results)) + "\n")
    return 0 if outcome.ok else 1


if __name__ == "__main__":
    sys.exit(main())
