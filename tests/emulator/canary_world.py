"""A small service with a canary on the embedded AWS: one function behind an API, in a stack of the tool's shape."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

from emulator.gateway_world import World, unique

from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
import json, os, time

RELEASE = os.environ["MANUEL_RELEASE"]
NAMES = ("Requests", "Errors4xx", "Errors5xx")

def handler(event, context):
    mood = (event.get("headers") or {}).get("mood")
    if mood == "crash" or os.environ["BEHAVIOUR"] == "crashes":
        raise ValueError("nothing is written")
    status = 404 if mood == "lost" else 200
    if os.environ["BEHAVIOUR"] == "breaks":
        status = 503
    document = {
        "service": context.function_name,
        "release": RELEASE,
        "Requests": 1,
        "Errors4xx": int(400 <= status < 500),
        "Errors5xx": int(status >= 500),
        "Duration": 12.5,
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [{
                "Namespace": "Manuel/Application",
                "Dimensions": [["service", "release"]],
                "Metrics": [{"Name": n, "Unit": "Count", "StorageResolution": 1} for n in NAMES]
                + [{"Name": "Duration", "Unit": "Milliseconds", "StorageResolution": 1}],
            }],
        },
    }
    print(json.dumps(document))
    return {"statusCode": status, "headers": {"X-Manuel-Release": RELEASE}, "body": json.dumps({"release": RELEASE})}
"""
SETTINGS = """
canary_interval_seconds = 1
canary_delay_seconds = 1
canary_minute_delay_seconds = 2
[environments.production]
stack = "{stack}"
"""


class CanaryWorld:
    """One service: `live` is r-1; r-2 behaves as asked for and gets `percent` of the requests."""

    def __init__(self, world: World, folder: Path, behaviour: str) -> None:
        self.world = world
        self.seen: Counter[tuple[str, int]] = Counter()
        self.stack = unique("service")
        self.name = unique("answer")
        self.api = world.api()
        world.proxy(self.api, "/", self.name + ":${stageVariables.release}")
        assert world.deploy(self.stack, self._template()) == "CREATE_COMPLETE"
        self._alias("r-1", "1")
        self._release("r-2", behaviour)
        world.stage(self.api, variables={"release": "live", "current": "r-1"})
        self._write_access_log()
        self.settings = folder / f"{self.stack}.toml"
        self.settings.write_text(SETTINGS.format(stack=self.stack), encoding="utf-8")

    def _write_access_log(self) -> None:
        group = f"/{self.stack}/api-access"
        self.world.logs.create_log_group(logGroupName=group)
        arn = f"arn:aws:logs:{self.world.region}:{ACCOUNT_ID}:log-group:{group}"
        line = (
            '{"requestId":"$context.requestId","status":"$context.status","isCanaryRequest":"$context.isCanaryRequest"}'
        )
        self.world.patch(
            self.api,
            ("replace", "/accessLogSettings/destinationArn", arn),
            ("replace", "/accessLogSettings/format", line),
        )

    def _environment(self, release: str, behaviour: str) -> dict[str, Any]:
        return {"Variables": {"MANUEL_RELEASE": release, "BEHAVIOUR": behaviour}}

    def _template(self) -> dict[str, Any]:
        function = {
            "FunctionName": self.name,
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": f"arn:aws:iam::{ACCOUNT_ID}:role/function",
            "Code": {"ZipFile": SOURCE},
            "Environment": self._environment("r-1", "fine"),
        }
        alias = {
            "Name": "live",
            "FunctionName": {"Ref": "Function"},
            "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
        }
        return {
            "Resources": {
                "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
                "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
                "Alias": {"Type": "AWS::Lambda::Alias", "Properties": alias},
            },
            "Outputs": {
                "ApiId": {"Value": self.api},
                "ApiStage": {"Value": "prod"},
                "CodeDeployApplicationName": {"Value": "none"},
            },
        }

    def _alias(self, release: str, version: str) -> None:
        self.world.functions.create_alias(FunctionName=self.name, Name=release, FunctionVersion=version)

    def _release(self, release: str, behaviour: str) -> None:
        self.world.functions.update_function_configuration(
            FunctionName=self.name, Environment=self._environment(release, behaviour)
        )
        self._alias(release, self.world.functions.publish_version(FunctionName=self.name)["Version"])

    def start_canary(self, percent: int, release: str = "r-2") -> None:
        """As a person does it with `aws apigateway update-stage`."""
        self.world.patch(
            self.api,
            ("replace", "/canarySettings/percentTraffic", str(percent)),
            ("replace", "/canarySettings/stageVariableOverrides/release", release),
        )

    def send(self, requests: int, headers: dict[str, str] | None = None) -> Counter[tuple[str, int]]:
        """So many requests; how often each (release, status) answered. A crash answers no release."""
        seen: Counter[tuple[str, int]] = Counter()
        connection = self.world.connection()
        try:
            for _ in range(requests):
                reply = self.world.ask(connection, self.world.url(self.api, "/"), headers)
                seen[reply.json.get("release", ""), reply.status] += 1
        finally:
            connection.close()
        return seen


class Load:
    """Requests at a steady pace in the background, counted by (release, status)."""

    def __init__(self, service: CanaryWorld, pause_seconds: float = 0.02) -> None:
        self.seen: Counter[tuple[str, int]] = Counter()
        self._service, self._pause, self._over = service, pause_seconds, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._over.wait(self._pause):
            self.seen += self._service.send(5)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
