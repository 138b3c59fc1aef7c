"""Builders for the tests of the embedded API Gateway: functions, REST APIs, requests, and counting."""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from emulator.builders import unique, until, zipped

from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel_release.rehearsal.process import EmbeddedCloud

ECHO = """
import json

def handler(event, context):
    request = event["requestContext"]
    said = {
        "version": context.function_version,
        "arn": context.invoked_function_arn,
        "variables": event["stageVariables"],
        "canary": request.get("isCanaryRequest", "unsaid"),
        "request_id": request["requestId"],
    }
    return {"statusCode": 200, "body": json.dumps(said)}
"""

MOODY = """
import json
import time

def handler(event, context):
    mood = event["headers"].get("mood")
    if mood == "raises":
        raise ValueError("bad release")
    if mood == "slow":
        time.sleep(0.3)
    status = {"refuses": 404, "breaks": 503}.get(mood, 200)
    return {"statusCode": status, "body": json.dumps({"lambda": context.aws_request_id})}
"""


@dataclass(frozen=True)
class Reply:
    """What a request was answered with."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def invocation(function: str, region: str = "eu-west-1") -> str:
    """The URI of a Lambda integration; `function` is what follows `function:` in the ARN."""
    arn = f"arn:aws:lambda:{region}:{ACCOUNT_ID}:function:{function}"
    return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"


def interval(requests: int, percent: float, confidence: float = 0.999_999) -> tuple[int, int]:
    """The central binomial interval: fewer or more hits have at most (1 - confidence) / 2 probability each.

    By default one right split in a million is outside.
    """
    share, tail = percent / 100, (1 - confidence) / 2

    def probability(hits: int) -> float:
        ways = math.lgamma(requests + 1) - math.lgamma(hits + 1) - math.lgamma(requests - hits + 1)
        return math.exp(ways + hits * math.log(share) + (requests - hits) * math.log1p(-share))

    def bound(order: range) -> int:
        below = 0.0
        for hits in order:
            below += probability(hits)
            if below > tail:
                return hits
        raise AssertionError(order)

    return bound(range(requests + 1)), bound(range(requests, -1, -1))


class World:
    """Clients of one embedded AWS, and what the tests build with them."""

    def __init__(self, cloud: EmbeddedCloud, region: str = "eu-west-1") -> None:
        self.endpoint, self.region = cloud.endpoint, region
        self._stack = contextlib.ExitStack()
        self.gateway = self.client("apigateway")
        self.functions = self.client("lambda")
        self.stacks = self.client("cloudformation")
        self.metrics = self.client("cloudwatch")
        self.logs = self.client("logs")

    def client(self, service: str) -> Any:
        made = boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=ACCOUNT_ID,
            aws_secret_access_key="embedded",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
        )
        self._stack.callback(made.close)
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def connection(self) -> http.client.HTTPConnection:
        """A connection that stays open over requests."""
        return http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=60)

    def function(self, source: str = ECHO, *, versions: int = 0, timeout: int = 10) -> str:
        """A new function; version n is published with alias `r-n`, for each of `versions`."""
        name = unique("echo")
        self.functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=f"arn:aws:iam::{ACCOUNT_ID}:role/function",
            Handler="app.handler",
            Timeout=timeout,
            Code={"ZipFile": zipped(source)},
        )
        for number in range(1, versions + 1):
            self.functions.update_function_code(FunctionName=name, ZipFile=zipped(f"{source}\n# release {number}\n"))
            version = self.functions.publish_version(FunctionName=name)["Version"]
            self.functions.create_alias(FunctionName=name, Name=f"r-{version}", FunctionVersion=version)
        return name

    def api(self) -> str:
        """An empty REST API."""
        return str(self.gateway.create_rest_api(name=unique("api"))["id"])

    def _method(self, api: str, path: str) -> dict[str, str]:
        found = self.gateway.get_resources(restApiId=api)["items"]
        by_path = {resource["path"]: resource["id"] for resource in found}
        if path not in by_path:
            made = self.gateway.create_resource(restApiId=api, parentId=by_path["/"], pathPart=path.strip("/"))
            by_path[path] = made["id"]
        method = {"restApiId": api, "resourceId": by_path[path], "httpMethod": "GET"}
        self.gateway.put_method(**method, authorizationType="NONE")
        return method

    def mock(self, api: str, path: str, answer: str, status: str = "200") -> None:
        """GET `path` answers `answer`; not live before the next deployment."""
        method = self._method(api, path)
        template = {"application/json": json.dumps({"statusCode": int(status)})}
        self.gateway.put_integration(**method, type="MOCK", requestTemplates=template)
        self.gateway.put_integration_response(
            **method,
            statusCode=status,
            selectionPattern="",
            responseTemplates={"application/json": json.dumps({"answer": answer})},
        )

    def proxy(self, api: str, path: str, function: str, **more: Any) -> None:
        """GET `path` calls a function; `function` as in `invocation`."""
        uri = invocation(function, self.region)
        method = self._method(api, path)
        self.gateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri, **more)

    def various(self) -> str:
        """An API whose `/` calls a function with moods, `/lost` one that does not exist, and `/mock` none."""
        api, name = self.api(), self.function(MOODY)
        self.proxy(api, "/", name)
        self.proxy(api, "/lost", name + ":r-9")
        self.mock(api, "/mock", "fine")
        self.stage(api)
        return api

    def deployment(self, api: str) -> str:
        """Deploy to no stage."""
        return str(self.gateway.create_deployment(restApiId=api)["id"])

    def stage(self, api: str, name: str = "prod", **more: Any) -> str:
        """A stage on a new deployment of the API."""
        self.gateway.create_stage(restApiId=api, stageName=name, deploymentId=self.deployment(api), **more)
        return name

    def patch(self, api: str, *operations: tuple[str, str, str], stage: str = "prod") -> dict[str, Any]:
        """UpdateStage; an operation is (op, path, value), or ("copy", path, from)."""
        spelled = [
            {"op": op, "path": path, **({"from": last} if op == "copy" else {"value": last} if op != "remove" else {})}
            for op, path, last in operations
        ]
        answer: dict[str, Any] = self.gateway.update_stage(restApiId=api, stageName=stage, patchOperations=spelled)
        return answer

    def shown(self, api: str, stage: str = "prod") -> dict[str, Any]:
        """GetStage, without the answer's metadata."""
        answer = self.gateway.get_stage(restApiId=api, stageName=stage)
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    def url(self, api: str, path: str, stage: str = "prod") -> str:
        return f"/_aws/execute-api/{api}/{stage}{path}"

    def get(
        self, api: str, path: str, *, stage: str = "prod", headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Reply:
        """One request."""
        connection = self.connection()
        try:
            return self.ask(connection, self.url(api, path, stage), headers, method)
        finally:
            connection.close()

    @staticmethod
    def ask(
        connection: http.client.HTTPConnection,
        url: str,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
    ) -> Reply:
        """One request over a connection that stays open."""
        connection.request(method, url, headers=dict(headers or {}))
        answer = connection.getresponse()
        text = answer.read().decode()
        return Reply(answer.status, {key.lower(): value for key, value in answer.getheaders()}, text)

    def many(self, api: str, path: str, requests: int, threads: int = 4) -> list[Reply]:
        """`requests` requests over `threads` connections."""
        replies: list[Reply] = []

        def worker() -> None:
            connection = self.connection()
            try:
                replies.extend(self.ask(connection, self.url(api, path)) for _ in range(requests // threads))
            finally:
                connection.close()

        workers = [threading.Thread(target=worker) for _ in range(threads)]
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
        return replies

    def deploy(self, stack: str, template: Mapping[str, Any], parameters: Mapping[str, str] | None = None) -> str:
        """Create or update a stack and wait; returns its last status."""
        wanted = {
            "StackName": stack,
            "TemplateBody": json.dumps(template),
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()],
        }
        known = {found["StackName"] for found in self.stacks.describe_stacks()["Stacks"]}
        (self.stacks.update_stack if stack in known else self.stacks.create_stack)(**wanted)
        until(lambda: not self.status(stack).endswith("_PROGRESS"))
        return self.status(stack)

    def status(self, stack: str) -> str:
        return str(self.stacks.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])

    def resource(self, stack: str, logical_id: str) -> str:
        """Physical id of a stack's resource."""
        found = self.stacks.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])
