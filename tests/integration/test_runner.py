"""Runs the integration suites against a deployed environment.

    python tests/integration/test_runner.py --environment staging --config test_config_staging.json --discover

Writes results/test-results.xml (JUnit), results.json and results.html beside this file. Exit code: 0 everything passed,
1 a test or a gate failed, 2 it could not run as asked.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from integration.suites import junit, page, screen, session  # noqa: E402 - the path is set above
from integration.suites.config import CATEGORIES, PROFILES, Config, ConfigError, complete, load  # noqa: E402
from integration.suites.contract import Contract  # noqa: E402
from integration.suites.discovery import discovered  # noqa: E402

ROOT = HERE.parent.parent
TEMPLATES = (ROOT / "template.yaml", ROOT / "packaged-template.yaml")  # a build's artifact holds the second


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    parser = argparse.ArgumentParser(prog="test_runner.py", description="Runs the suites against an environment.")
    parser.add_argument("--environment", required=True, help="dev, staging or production")
    parser.add_argument("--config", required=True, type=Path, help="test_config_<environment>.json")
    parser.add_argument("--profile", choices=PROFILES, help="how much; otherwise what the configuration says")
    parser.add_argument("--category", action="append", choices=CATEGORIES, help="only this one; may be given again")
    parser.add_argument("--discover", action="store_true", help="read address and ids from the stack's outputs")
    parser.add_argument("--expect-release", default="", metavar="RELEASE", help="every answer must be this release's")
    parser.add_argument("--first-failure", action="store_true", help="end at the first failure")
    parser.add_argument("--template", type=Path, help="where the API is defined; otherwise template.yaml")
    parser.add_argument("--report", default="", metavar="NAME", help="call the reports NAME-results, beside others")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder for the reports")
    return parser


def configured(asked: argparse.Namespace) -> Config:
    """The configuration that the command line asks for; raises ConfigError."""
    path: Path = asked.config if asked.config.is_file() else HERE / asked.config.name
    config = load(path, asked.environment)
    config = replace(config, profile=asked.profile or config.profile, expected_release=asked.expect_release)
    return complete(discovered(config) if asked.discover else config)


def main() -> int:
    """Run what was asked for; the exit code."""
    asked = arguments().parse_args()
    try:
        config = configured(asked)
        contract = Contract.read(asked.template or next((path for path in TEMPLATES if path.is_file()), TEMPLATES[0]))
    except ConfigError as error:
        sys.stderr.write(f"test_runner.py: {error}\n")
        return 2
    chosen = [name for name in CATEGORIES if not asked.category or name in asked.category]
    results = session.run(config, contract, chosen, first_failure=asked.first_failure)
    name = f"{asked.report}-results" if asked.report else "results"
    asked.results.mkdir(parents=True, exist_ok=True)
    (asked.results / f"{name if asked.report else 'test-results'}.xml").write_bytes(junit.document(results))
    (asked.results / f"{name}.json").write_text(json.dumps(results.as_json(), indent=2) + "\n", encoding="utf-8")
    (asked.results / f"{name}.html").write_text(page.document(results), encoding="utf-8")
    sys.stdout.write(screen.text(results, str(asked.results)) + "\n")
    return 0 if results.ok else 1


if __name__ == "__main__":
    sys.exit(main())
