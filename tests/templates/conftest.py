"""The templates as data: as they are written, and as SAM makes CloudFormation of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from manuel_release import programs
from manuel_release.artifact import template

ROOT = Path(__file__).resolve().parents[2]
EXPAND = """
import json, os, sys
os.environ["AWS_DEFAULT_REGION"] = "eu-west-1"
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
given = json.load(sys.stdin)
template, values = given["template"], given["parameters"]
template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"  # what `sam package` would have written
defaults = {k: v["Default"] for k, v in template["Parameters"].items() if "Default" in v}
json.dump(Translator({}, Parser()).translate(template, {**defaults, **values}), sys.stdout)
"""


@pytest.fixture(scope="session")
def service() -> dict[str, Any]:
    """template.yaml, with intrinsic functions in their long form."""
    return template.load(ROOT / "template.yaml")


@pytest.fixture(scope="session")
def operations() -> dict[str, Any]:
    """operations.yaml, likewise."""
    return template.load(ROOT / "operations.yaml")


@pytest.fixture(scope="session")
def expanded() -> dict[str, Any]:
    """template.yaml as SAM hands it to CloudFormation for production."""
    written = template.load(ROOT / "template.yaml")
    values = json.loads((ROOT / "parameters-production.json").read_text())
    done = subprocess.run(
        [str(programs.program("build", "python")), "-c", EXPAND],
        input=json.dumps({"template": written, "parameters": values}),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
