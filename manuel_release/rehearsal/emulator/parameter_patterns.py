"""A template parameter of type AWS::SSM::Parameter::Value<...> names a parameter: its AllowedPattern is for the name.

ministack matches the value that the name stands for, and refuses templates that AWS takes. The name itself is not
matched here; cfn-lint and the caller see it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
"""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import engine

REQUIRES = {
    "ministack.services.cloudformation.engine._SSM_PARAMETER_VALUE_PREFIX": None,
    "ministack.services.cloudformation.engine._check_parameter_constraints": ("name", "defn", "ptype", "value"),
}


def install() -> None:
    """Leave the pattern of such parameters out when their values are checked."""
    check = engine._check_parameter_constraints

    def without_patterns_of_names(name: str, defn: dict[str, Any], ptype: str, value: str) -> None:
        if ptype.startswith(engine._SSM_PARAMETER_VALUE_PREFIX):
            defn = {member: rule for member, rule in defn.items() if member != "AllowedPattern"}
        check(name, defn, ptype, value)

    engine._check_parameter_constraints = without_patterns_of_names
