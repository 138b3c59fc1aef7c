# ruff: noqa: T201 - a program of its own, which talks to its terminal
"""The chaos suite: `python tests/integration/chaos/run.py --environment staging --suite basic`.

Writes chaos-results.xml (JUnit) and chaos-results.json (timeline) into the results folder. Exit codes: 0 all hold,
1 something does not, or it was aborted, 2 wrong usage, 3 refused and nothing was injected, 130 interrupted.
The switches that end every fault: Ctrl-C or SIGTERM, the abort file, and deleting the SSM parameter.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import boto3  # noqa: E402 - the path comes first
from integration.chaos import people, report  # noqa: E402
from integration.chaos.experiment import Aborted, Result, Simulator, Timeline  # noqa: E402
from integration.chaos.injectors import FisInjector, LayerInjector, Refused, attached  # noqa: E402
from integration.chaos.scenarios import SCENARIOS, Scenario  # noqa: E402
from integration.chaos.target import PER_SECOND, Pace, Target  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ALLOWED = ("dev", "staging")  # production is not on this list, and no option puts it there
SUITES = {"basic": 420.0, "full": 1200.0}  # seconds at most, as in the specification's time-line
RESULTS = Path(__file__).resolve().parents[1] / "results"


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="chaos", description="Make dependencies of a deployed service fail.")
    parser.add_argument("--environment", required=True, help=f"one of {', '.join(ALLOWED)}")
    parser.add_argument("--suite", choices=SUITES, default="basic")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="one scenario; again for more")
    parser.add_argument("--url", help="the API's address; by default the stack's output")
    parser.add_argument("--stack", help="the service's stack; by default manuel-ENVIRONMENT")
    parser.add_argument("--max-seconds", type=float, help="for the whole suite")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the reports")
    parser.add_argument("--abort-file", type=Path, help="ends everything when it appears; by default RESULTS/ABORT")
    parser.add_argument(
        "--per-second", type=float, default=PER_SECOND, help="requests of the user, below its rate limit"
    )
    parser.add_argument("--expect-release", default="", metavar="NAME", help="refuse when another release serves")
    parser.add_argument("--list", action="store_true", help="print the scenarios and end")
    return parser.parse_args(given)


def chosen(suite: str, only: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios of a suite, or those named; raises Refused for a name that is none."""
    known = {one.name: one for one in SCENARIOS}
    wrong = [name for name in only if name not in known]
    if wrong:
        raise Refused(f"there is no scenario {', '.join(wrong)}; there are {', '.join(known)}")
    if only:
        return tuple(known[name] for name in only)
    return tuple(one for one in SCENARIOS if suite == "full" or one.basic)


def allowed(environment: str) -> str:
    """The environment, if faults may be injected there; raises Refused."""
    if environment not in ALLOWED:
        raise Refused(f"faults are injected in {' and '.join(ALLOWED)} only, never in {environment}")
    return environment


def served(url: str, health: Any, environment: str, expected: str) -> str:
    """The release that a body of `/health` names; raises Refused for another environment or release.

    Args:
        url: of the API, for the message.
        health: the body; whatever the API answered.
        environment: that it has to be.
        expected: the release that it has to be; empty for any.
    """
    says = health if isinstance(health, dict) else {}
    if says.get("environment") != environment:
        raise Refused(f"{url} says that it is {says.get('environment') or 'nothing'}, not {environment}")
    release = str(says.get("release", ""))
    if expected and release != expected:
        raise Refused(
            f"{environment} serves {release or 'no release'} and not {expected}: another build was deployed there "
            "meanwhile, so what was approved cannot be tested any more; start this execution again from the start "
            '(`manuel-release pipeline start --reason "..."`)'
        )
    return release


@contextlib.contextmanager
def clients(*names: str) -> Iterator[list[Any]]:
    """boto3's clients, closed at the end."""
    made = [boto3.client(name) for name in names]
    try:
        yield made
    finally:
        for one in made:
            one.close()


def simulate(
    options: argparse.Namespace, scenarios: Sequence[Scenario], results: list[Result], facts: dict[str, str]
) -> Timeline:
    """Run the scenarios one after the other; what is done so far is in `results` whatever happens.

    facts: gets the release that serves. Raises Refused and Aborted.
    """
    environment = allowed(options.environment)
    abort_file = options.abort_file or options.results / "ABORT"
    if abort_file.exists():
        raise Refused(f"the abort file {abort_file} is there; remove it first")
    timeline = Timeline(tell=print)
    names = ("cloudformation", "cognito-idp", "lambda", "ssm", "fis")
    with clients(*names) as (cloudformation, cognito, functions, ssm, fis):
        service = people.stack(cloudformation, options.stack or f"manuel-{environment}")
        if service is None:
            raise Refused(f"there is no stack {options.stack or f'manuel-{environment}'}; deploy it first")
        if not attached(functions, environment):
            raise Refused(
                f"the functions of {environment} have no fault layer; deploy with FaultInjectionLayer (docs/chaos.md)"
            )
        experiments = people.stack(cloudformation, f"manuel-chaos-{environment}")
        injectors = [LayerInjector(ssm, environment), FisInjector(fis, experiments.outputs if experiments else {})]
        pool, client = service.outputs["UserPoolId"], service.outputs["UserPoolClientId"]
        with people.signed_in(cognito, pool, client) as token:
            target = Target((options.url or service.url).rstrip("/"), token, pace=Pace(per_second=options.per_second))
            health = target.ask("health").body
            facts["release"] = served(target.url, health, environment, options.expect_release)
            most = options.max_seconds or SUITES[options.suite]
            simulator = Simulator(target, injectors, timeline, abort_file, most)
            try:
                if not target.learn():
                    raise Refused("the user's manual was not uploaded and read, so questions cannot be asked")
                for scenario in scenarios:
                    results.append(simulator.run(scenario))  # noqa: PERF401 - kept when the next one is aborted
            finally:
                target.forget()
    return timeline


def write(options: argparse.Namespace, results: list[Result], timeline: Timeline, release: str) -> None:
    """The two reports; `release` is what was tested, empty when nobody got that far."""
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / "chaos-results.xml").write_bytes(report.junit(results, options.suite))
    suite = "selected" if options.only else options.suite
    told = report.document(results, timeline.events, environment=options.environment, suite=suite, release=release)
    (options.results / "chaos-results.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def main(given: Sequence[str] | None = None) -> int:
    """Run; returns the exit code."""
    options = arguments(given)
    if options.list:
        for one in SCENARIOS:
            print(f"{one.name:20} {'basic' if one.basic else 'full ':5}  {one.hypothesis}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # the same way out as Ctrl-C
    results: list[Result] = []
    facts: dict[str, str] = {}
    timeline = Timeline(tell=print)
    code = 0
    try:
        scenarios = chosen(options.suite, options.only)
        timeline = simulate(options, scenarios, results, facts)
    except Refused as refused:
        print(f"Refused: {refused}.", file=sys.stderr)
        return 3
    except (Aborted, KeyboardInterrupt) as aborted:
        why = str(aborted) or "interrupted"
        results.append(Result("suite", "The suite runs to its end.", "aborted", reason=why))
        code = 1 if isinstance(aborted, Aborted) else 130
        print(f"Aborted: {why}. Every fault has been ended.", file=sys.stderr)
    write(options, results, timeline, facts.get("release", ""))
    failed = [one for one in results if one.outcome in {"failed", "aborted"}]
    for one in failed:
        print(f"{one.scenario}: {one.reason}", file=sys.stderr)
    passed = sum(one.outcome == "passed" for one in results)
    print(f"{passed} of {len(results)} scenarios hold; see {options.results / 'chaos-results.json'}")
    return code or (1 if failed or not passed else 0)


if __name__ == "__main__":
    sys.exit(main())
