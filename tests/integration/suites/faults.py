"""Making a dependency fail, where an environment has something that can.

Two ways: an address that takes `PUT <faults_url>/<service>` with {"throttle_percent", "error_percent",
"delay_seconds"} and `DELETE <faults_url>`; or the fault layer of the chaos suite (chaos/layer), which reads its plan
from the SSM parameter `/manuel/<environment>/faults`. Neither is there in production.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

import boto3
from integration.suites.config import ENVIRONMENTS
from integration.suites.person import transfer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.suites.config import Config

LASTS = 120  # seconds after which the layer forgets a plan by itself
SETTLES = 1.6  # seconds until every function knows of a plan: it looks once a second
THROTTLED = {"transcribe": (400, "LimitExceededException")}  # others: botocore's service models
BROKEN = {"transcribe": (500, "InternalFailureException")}
OF_THE_LAYER = frozenset(
    {"bedrock-agent", "bedrock-agent-runtime", "bedrock-runtime", "dynamodb", "s3", "transcribe"},
)


class Faults:
    """The dependencies that can be made to fail, and how. ssm: boto3's client, for the fault layer."""

    def __init__(self, config: Config, ssm: Any = None) -> None:
        self._url = config.faults_url.rstrip("/")
        self._region = config.region
        self._parameter = f"/manuel/{ENVIRONMENTS[config.environment]}/faults"
        self._ssm = ssm
        self._layer = config.fault_layer
        self.services: frozenset[str] = frozenset()
        if config.environment == "production":
            return
        if self._layer:
            self.services = OF_THE_LAYER
        elif self._url:
            self.services = frozenset(config.dependency_faults)

    @contextlib.contextmanager
    def planned(self, service: str, **plan: float) -> Iterator[None]:
        """While it lasts, `service` fails as planned (shares in percent, delay in seconds); then nothing does."""
        try:
            self._begin(service, plan)
            yield
        finally:
            self._end()

    def _begin(self, service: str, plan: dict[str, float]) -> None:
        if self._layer:
            members = {"schema_version": 1, "until": time.time() + LASTS, "faults": [of_the_layer(service, plan)]}
            self._client.put_parameter(Name=self._parameter, Type="String", Overwrite=True, Value=json.dumps(members))
            time.sleep(SETTLES)
            return
        headers = {"Content-Type": "application/json"}
        status, text = transfer("PUT", f"{self._url}/{service}", json.dumps(plan).encode(), headers)
        assert status == 200, f"faults of {service} could not be planned: {status} {text!r}"

    def _end(self) -> None:
        if self._layer:
            with contextlib.suppress(self._client.exceptions.ParameterNotFound):
                self._client.delete_parameter(Name=self._parameter)
            time.sleep(SETTLES)
            return
        status, text = transfer("DELETE", self._url, None, {})
        assert status == 200, f"faults could not be ended: {status} {text!r}"

    @property
    def _client(self) -> Any:
        if self._ssm is None:
            self._ssm = boto3.client("ssm", region_name=self._region)
        return self._ssm

    def close(self) -> None:
        """Close the connection."""
        if self._ssm is not None:
            self._ssm.close()


def of_the_layer(service: str, plan: dict[str, float]) -> dict[str, Any]:
    """A plan as the layer reads it: an answer that throttles or fails, or one that comes late."""
    delay = float(plan.get("delay_seconds", 0))
    fault: dict[str, Any] = {"dependency": service, "delay_seconds": delay}
    if plan.get("throttle_percent"):
        status, code = THROTTLED.get(service, (429, "ThrottlingException"))
        return {**fault, "kind": "error", "status": status, "code": code, "percent": plan["throttle_percent"]}
    if plan.get("error_percent"):
        status, code = BROKEN.get(service, (500, "InternalServerError"))
        return {**fault, "kind": "error", "status": status, "code": code, "percent": plan["error_percent"]}
    return {**fault, "kind": "delay", "percent": 100.0}
