"""A service that goes back to a known state at once; nothing is deployed between two deaths."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from crash.small_service import BASE, ENVIRONMENT, STAGE, SmallService
from emulator.gateway_world import until
from emulator.release_world import LEDGER

from manuel_release.model.entry import Entry, EntryKind
from manuel_release.record.ledger import entry_id

LIVE, RESTORED, STAGED, SHARED, HALF, ROLLING = "live", "restored", "staged", "a tenth", "half", "rolling out"
STATES = (LIVE, RESTORED, STAGED, SHARED, HALF, ROLLING)
"""r-4 holds 100 %; the same, and the API's definition is one that a rollback restored; r-4 waits behind r-3; it has
10 %; it has 50 %; CodeDeploy has moved half of `live` to it. r-1 to r-3 held 100 % in all of them."""


class KnownStates(SmallService):
    """The small service in one of STATES: aliases, the API's stage and the ledger are written over."""

    def reset(self, state: str) -> None:
        """The world is in one of STATES, whatever was begun before."""
        self._stop_deployments()
        until(lambda: not self.world.status(self.stack).endswith("_PROGRESS"), 60)
        self._reset_aliases("r-4" if state in {LIVE, RESTORED} else "r-3")
        self._reset_alarms()
        self._reset_stage(state)
        self._reset_ledger(state)
        if state == ROLLING:
            self._roll()

    def _stop_deployments(self) -> None:
        for one in self.active():
            with contextlib.suppress(self.deployments.exceptions.DeploymentAlreadyCompletedException):
                self.deployments.stop_deployment(deploymentId=one, autoRollbackEnabled=False)
        until(lambda: not self.active(), 60)

    def _reset_aliases(self, serving: str) -> None:
        functions = self.world.functions
        for name in self.names:
            there = set(self.aliases(name))
            for release in there - {"live", *BASE}:
                functions.delete_alias(FunctionName=name, Name=release)
            for release in set(BASE) - there:
                self._restore(name, release)
            for release in set(BASE) & there:
                functions.update_alias(FunctionName=name, Name=release, FunctionVersion=self.versions[release][name])
            functions.update_alias(
                FunctionName=name,
                Name="live",
                FunctionVersion=self.versions[serving][name],
                RoutingConfig={"AdditionalVersionWeights": {}},
            )
            if not self._published(name) - {self.versions[release][name] for release in BASE}:
                self._publish(name, "r-9")  # a version that no alias names, for a pruning to take away
                functions.delete_alias(FunctionName=name, Name="r-9")

    def _restore(self, name: str, release: str) -> None:
        """What a pruning took away."""
        version = self.versions[release][name]
        if version in self._published(name):
            self.world.functions.create_alias(FunctionName=name, Name=release, FunctionVersion=version)
        else:
            self.versions[release][name] = self._publish(name, release)

    def _published(self, name: str) -> set[str]:
        found = self.world.functions.list_versions_by_function(FunctionName=name)["Versions"]
        return {one["Version"] for one in found} - {"$LATEST"}

    def _reset_alarms(self) -> None:
        """Nothing but an alarm of r-1, which the pruning of that release takes away."""
        there = self.alarms.describe_alarms(AlarmNamePrefix="manuel-prod-r-")["MetricAlarms"]
        for name in (one["AlarmName"] for one in there):
            self.alarms.delete_alarms(AlarmNames=[name])
        self.alarms.put_metric_alarm(
            AlarmName="manuel-prod-r-1-errors",
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        )

    def _reset_stage(self, state: str) -> None:
        world, shown = self.world, self.world.shown(self.api)
        if "canarySettings" in shown:
            world.patch(self.api, ("remove", "/canarySettings", ""))
        definition = self.older_definition if state == RESTORED else self.definition
        if shown["deploymentId"] != definition:
            world.patch(self.api, ("replace", "/deploymentId", definition))
        variables = {"release": "live", "current": "r-3", "previous": "r-2", "candidate": "r-4", "rolled_back": "none"}
        if state in {LIVE, RESTORED}:
            variables |= {"current": "r-4", "previous": "r-3", "candidate": "none"}
        patches = [("replace", f"/variables/{name}", value) for name, value in variables.items()]
        percent = {SHARED: "10", HALF: "50", ROLLING: "50"}.get(state)
        world.patch(self.api, *patches)
        if percent:
            world.patch(
                self.api,
                ("replace", "/canarySettings/percentTraffic", percent),
                ("replace", "/canarySettings/stageVariableOverrides/release", "r-4"),
            )

    def _reset_ledger(self, state: str) -> None:
        for item in self.items():
            key = {name: item[name] for name in ("environment", "entry")}
            if not item["entry"]["S"].startswith("release#") or int(item["entry"]["S"].split("#")[1]) > len(BASE):
                self.table.delete_item(TableName=LEDGER, Key=key)
        self._began = datetime.now(UTC) - timedelta(minutes=3)
        for release in BASE[:3]:
            self._record(EntryKind.RELEASE_LIVE, release, self.older_definition)
        definition = self.older_definition if state == RESTORED else self.definition
        self._record(EntryKind.RELEASE_STAGED, "r-4", definition)
        if state in {LIVE, RESTORED}:
            self._record(EntryKind.RELEASE_LIVE, "r-4", definition, previous="r-3")
        if state in {SHARED, HALF, ROLLING}:
            self._record(EntryKind.CANARY_STARTED, "r-4", self.definition, percent=10.0, stable="r-3")
        if state in {HALF, ROLLING}:
            self._record(EntryKind.CANARY_PROMOTED, "r-4", self.definition, percent=50.0, stable="r-3")
        if state == ROLLING:
            self._record(EntryKind.ROLLOUT_STARTED, "r-4", self.definition, order="gradual", stable="r-3")

    def _record(self, kind: EntryKind, release: str, definition: str, **details: Any) -> None:
        self._began += timedelta(seconds=1)
        known = {
            "digest": f"digest-{release}",
            "code_digest": code_digest(release),
            "versions": self.versions[release],
            "api_deployment_id": definition,
        }
        at = self._began
        self.ledger.append(Entry(entry_id(at), ENVIRONMENT, STAGE, at, kind, release, "test", "", known | details))

    def _roll(self) -> None:
        """CodeDeploy begins to move `live` of the first function, as `canary promote 100` would have asked it to."""
        name = self.names[0]
        properties = {
            "Name": name,
            "Alias": "live",
            "CurrentVersion": self.versions["r-3"][name],
            "TargetVersion": self.versions["r-4"][name],
        }
        moved = {"Type": "AWS::Lambda::Function", "Properties": properties}
        content = json.dumps({"version": 0.0, "Resources": [{name: moved}]})
        self.deployments.create_deployment(
            applicationName=self.world.resource(self.stack, "Application"),
            deploymentGroupName=name,
            deploymentConfigName="CodeDeployDefault.LambdaCanary10Percent30Minutes",
            description=f"{STAGE} r-4",
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
        )
        until(lambda: bool(self.live(name)[1]), 60)


def code_digest(release: str) -> str:
    """Digest of the code of one of BASE."""
    return f"code-of-{release}".ljust(64, "0")
