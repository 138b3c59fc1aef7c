"""The moments of a release's life at which somebody rolls back, each on real requests through the embedded API."""

from __future__ import annotations

import contextlib
import json
import secrets
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from emulator.gateway_world import until
from emulator.release_world import ReleaseWorld

from manuel_release.apply import prepare
from manuel_release.errors import ReleaseError
from manuel_release.model.entry import Entry, EntryKind
from manuel_release.record.ledger import entry_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BUCKET = "manuel-artifacts-rollback"
NOWHERE = "http://127.0.0.1:9"


class Production(ReleaseWorld):
    """r-1 held 100 %, r-2 does or is going to; `reset` brings that back after each rollback."""

    def make_account(self) -> None:
        """What bootstrap and the service's own stack would have made."""
        self.world.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": self.world.region}
        )
        ssm = self.world.client("ssm")
        ssm.put_parameter(Name="/manuel/operations/artifacts", Type="String", Value=BUCKET)
        where = json.dumps({"rest_api_id": self.api, "stage": "prod"})
        ssm.put_parameter(Name=f"/manuel/{self.environment}/api", Type="String", Value=where)
        self._update(self._template())
        until(lambda: self.world.status(self.stack) == "UPDATE_COMPLETE")

    def variables(self, **values: str) -> None:
        self.world.patch(self.api, *(("replace", f"/variables/{name}", value) for name, value in values.items()))

    def live(self) -> tuple[str, Mapping[str, float]]:
        """Version and weights of `live`."""
        found = self.world.functions.get_alias(FunctionName=self.name, Name="live")
        return found["FunctionVersion"], found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})

    def move_live(self, version: str) -> None:
        self.world.functions.update_alias(FunctionName=self.name, Name="live", FunctionVersion=version)

    def record(self, kind: EntryKind, release: str, **details: Any) -> None:
        now = datetime.now(UTC)
        details |= {"code_digest": f"{self.stack}-code-{release[-1]}", "versions": {self.name: release[-1]}}
        self.ledger().append(Entry(entry_id(now), self.environment, "prod", now, kind, release, "test", "", details))

    def reset(self) -> None:
        """r-2 is staged behind r-1, and nothing is known of rollbacks."""
        for one in self.ledger().quarantines():
            self.ledger().lift(one.code_digest, "test", "again")
        if "canarySettings" in self.world.shown(self.api):
            self.world.patch(self.api, ("remove", "/canarySettings", ""))
        self.move_live("1")
        self.variables(release="live", current="r-1", previous="none", candidate="r-2", rolled_back="none")
        self.record(EntryKind.RELEASE_STAGED, "r-2")
        self.record(EntryKind.RELEASE_LIVE, "r-1")

    def complete(self) -> None:
        """r-2 holds 100 %."""
        self.move_live("2")
        self.variables(current="r-2", previous="r-1", candidate="none")
        self.record(EntryKind.RELEASE_LIVE, "r-2", previous="r-1")

    def deploying(self) -> None:
        """CodeDeploy has moved half of `live`, and waits."""
        content = {
            "version": 0.0,
            "Resources": [
                {
                    self.name: {
                        "Type": "AWS::Lambda::Function",
                        "Properties": {
                            "Name": self.name,
                            "Alias": "live",
                            "CurrentVersion": "1",
                            "TargetVersion": "2",
                        },
                    }
                }
            ],
        }
        self.world.client("codedeploy").create_deployment(
            applicationName=self.world.resource(self.stack, "Application"),
            deploymentGroupName=self.name,
            deploymentConfigName="CodeDeployDefault.LambdaCanary10Percent30Minutes",
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(content)}},
        )
        until(lambda: bool(self.live()[1]))

    def updating(self) -> Callable[[], None]:
        """The stack waits for a signal in the middle of an update; returns what sends it."""
        template = self._template()
        self.handle = f"Handle{secrets.token_hex(4)}"  # one that the stack has had is no change
        template["Resources"] |= {
            self.handle: {"Type": "AWS::CloudFormation::WaitConditionHandle"},
            f"{self.handle}Condition": {
                "Type": "AWS::CloudFormation::WaitCondition",
                "Properties": {"Handle": {"Ref": self.handle}, "Timeout": "300"},
            },
        }
        self._update(template)
        until(lambda: self.world.status(self.stack) == "UPDATE_IN_PROGRESS")
        return self.signal

    def _update(self, template: dict[str, Any]) -> None:
        tags = [{"Key": "manuel:environment", "Value": self.environment}]
        self.world.stacks.update_stack(StackName=self.stack, TemplateBody=json.dumps(template), Tags=tags)

    def signal(self) -> None:
        body = json.dumps({"Status": "SUCCESS", "Reason": "go on", "UniqueId": "1", "Data": ""}).encode()
        url = self.world.resource(self.stack, self.handle)
        asked = urllib.request.Request(url, data=body, headers={"Content-Type": ""}, method="PUT")
        with urllib.request.urlopen(asked, timeout=10):
            pass
        until(lambda: self.world.status(self.stack) == "UPDATE_COMPLETE")

    def keep_stack(self, release: str = "r-1") -> None:
        """The template and parameters of a release as its deploy kept them: it had one parameter more."""
        template = self._template()
        template["Parameters"]["ReleaseId"] = {"Type": "String", "Default": "r-1"}
        template["Resources"]["Note"] = {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": f"/{self.stack}/note", "Type": "String", "Value": secrets.token_hex(4)},
        }
        key = prepare.template_key(self.environment, release, f"{self.stack}-code-{release[-1]}")
        record = {"parameters": {"Environment": self.stack, "ApiVersionStage": "prod"}, "tags": {}, "commit": "abc"}
        storage = self.world.client("s3")
        storage.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(template).encode())
        storage.put_object(Bucket=BUCKET, Key=prepare.record_key(key), Body=json.dumps(record).encode())

    def answers(self, requests: int = 40) -> set[str]:
        """The releases that answer."""
        return {release for release, _ in self.send(requests)}


@dataclass(frozen=True)
class Moment:
    """One row: how it begins, what is typed, and the environment's variables that make it so.

    cold: nothing is remembered. calls: API calls until traffic is restored. code: of the end.
    """

    name: str
    begin: Callable[[Production], None]
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    cold: bool = False
    calls: int = 2
    code: int = 0


def _nothing(_: Production) -> None:
    """r-2 waits at 0 %."""


def _promoting(service: Production) -> None:
    service.start_canary(50)
    service.deploying()


def _updating(service: Production) -> None:
    service.complete()
    service.updating()


def _without_alias(service: Production) -> None:
    service.complete()
    service.world.functions.delete_alias(FunctionName=service.name, Name="r-1")


def _kept(service: Production) -> None:
    service.complete()
    service.keep_stack()


MOMENTS = (
    Moment("before the canary", _nothing),
    Moment("canary at 10 %", lambda service: service.start_canary(10)),
    Moment("canary at 50 %", lambda service: service.start_canary(50)),
    Moment("in the middle of CodeDeploy", _promoting),
    Moment("after completion", Production.complete),
    Moment("while a stack update runs", _updating),
    Moment(
        "ledger unreachable",
        Production.complete,
        variables={"AWS_ENDPOINT_URL_DYNAMODB": NOWHERE},
        code=6,
    ),
    Moment("one function's alias missing", _without_alias),
    Moment("cold cache", Production.complete, cold=True, calls=3),
    Moment("`--to r-1`", Production.complete, ("--to", "r-1")),
    Moment("`--infrastructure`", _kept, ("--infrastructure", "--yes")),
)


@contextlib.contextmanager
def at(service: Production, moment: Moment) -> Iterator[None]:
    """The world at that moment; afterwards nothing of it is left."""
    service.reset()
    moment.begin(service)
    try:
        yield
    finally:
        if service.world.status(service.stack) == "UPDATE_IN_PROGRESS":
            service.signal()
        with contextlib.suppress(ReleaseError):
            service.aws.functions.create_alias(service.name, "r-1", "1", "again")


__all__ = ["MOMENTS", "Moment", "Production", "at"]
