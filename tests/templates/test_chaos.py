"""chaos.yaml, and what template.yaml allows of fault injection."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from templates.conftest import ROOT
from templates.reading import FUNCTIONS, of

from manuel_release.artifact import template


def test_cfn_lint_has_nothing_to_say_of_the_chaos_stack() -> None:
    program = Path(sys.prefix) / "bin" / "cfn-lint"

    done = subprocess.run([str(program), str(ROOT / "chaos.yaml")], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_production_is_refused_by_a_rule_and_has_no_chaos_stack(service: dict[str, Any]) -> None:
    rule = service["Rules"]["ProductionHasNoFaults"]

    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Environment"}, "prod"]}
    assert rule["Assertions"][0]["Assert"] == {
        "Fn::And": [
            {"Fn::Equals": [{"Ref": "FaultInjectionLayer"}, ""]},
            {"Fn::Equals": [{"Ref": "FisExtensionLayer"}, ""]},
        ]
    }
    assert template.load(ROOT / "chaos.yaml")["Parameters"]["Environment"]["AllowedValues"] == ["dev", "staging"]


def test_faults_are_off_until_a_layer_is_named(service: dict[str, Any]) -> None:
    for name in ("FaultInjectionLayer", "FisExtensionLayer"):
        assert service["Parameters"][name]["Default"] == ""
    assert {layer["Fn::If"][2]["Ref"] for layer in service["Globals"]["Function"]["Layers"]} == {"AWS::NoValue"}


def test_every_function_may_read_the_plan_and_nothing_else(service: dict[str, Any]) -> None:
    policy = of(service, "FaultInjectionPolicy")

    assert {role["Ref"] for role in policy["Roles"]} == {f"{name}FunctionRole" for name in FUNCTIONS}
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "ssm:GetParameter"
    assert statement["Resource"]["Fn::Sub"].endswith(":parameter/manuel/${Environment}/faults")
