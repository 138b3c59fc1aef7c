"""What can go wrong in a rehearsal, where, and how the specification wants it to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Fault:
    """One bad day.

    kind: its name. stage: where it happens. version: the patch (tests/situations/releases) that is pushed. action: the
    action of that stage that does not succeed. taken_back: whether the release had traffic, and loses it.
    """

    kind: str
    stage: str
    version: str
    action: str
    taken_back: bool
    sentence: str


FAULTS = (
    Fault("tests", "Build", "broken-build", "Build", False, "a unit test fails"),
    Fault("tests", "IntegrationTestDev", "broken-dev", "IntegrationTest", False, "an integration test fails in dev"),
    Fault("tests", "TestStaging", "broken-staging", "IntegrationTest", False, "an integration test fails in staging"),
    Fault("stack", "DeployDev", "broken-stack-dev", "Deploy", False, "the stack of dev cannot be updated"),
    Fault("stack", "DeployStaging", "broken-stack-staging", "Deploy", False, "the stack of staging cannot be updated"),
    Fault("stack", "DeployCanary", "broken-stack-prod", "Deploy", False, "the stack of production cannot be updated"),
    Fault("errors", "DeployCanary", "v3", "Observe10", True, "three in ten answers of one route are errors"),
    Fault("latency", "FullProduction", "slow", "Observe50", True, "answers become slow when there are many"),
    Fault("alarm", "FullProduction", "v2", "Promote100", True, "an alarm rings while CodeDeploy shifts traffic"),
    Fault("approval", "ProductionApproval", "v2", "DevOps", False, "nobody approves production in time"),
    Fault("approval", "CanaryApproval", "v2", "DevOps", True, "nobody decides about the canary in time"),
    Fault("observer", "DeployCanary", "v2", "Observe10", True, "the job that observes the canary is killed"),
)
KINDS = tuple(dict.fromkeys(fault.kind for fault in FAULTS))
STAGES = tuple(dict.fromkeys(fault.stage for fault in FAULTS))
_USUAL: Mapping[str, str] = {"tests": "IntegrationTestDev", "stack": "DeployStaging", "approval": "CanaryApproval"}
"""Where a kind happens that can happen in several stages."""


def chosen(kind: str | None, stage: str | None) -> Fault:
    """The fault of that kind in that stage; either may be left out. Raises UsageError when there is none."""
    fitting = [one for one in FAULTS if kind in {None, one.kind} and stage in {None, one.stage}]
    if not fitting:
        known = "; ".join(f"{one}: {', '.join(f.stage for f in FAULTS if f.kind == one)}" for one in KINDS)
        raise UsageError(f"{kind} cannot be rehearsed in {stage}; there are {known}")
    usual = [one for one in fitting if _USUAL.get(one.kind, one.stage) == one.stage]
    return (usual or fitting)[0]
