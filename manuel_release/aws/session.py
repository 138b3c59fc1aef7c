"""Where AWS clients come from: one region, one profile, one set of time-outs and retries, and a log of every call.

Retries are botocore's adaptive ones; `pacing` waits where AWS says how many requests it takes.

Nothing of the SDK is loaded before the first client, and then only botocore: boto3 would add its resources and file
transfers, which are not used, to the time that a rollback takes to begin.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

from manuel_release import __version__
from manuel_release.aws.errors import translated
from manuel_release.aws.pacing import Pacing

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from botocore.session import Session as BotocoreSession
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_codedeploy import CodeDeployClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

CONNECT_SECONDS = 5
READ_SECONDS = 60
ATTEMPTS = 6
"""The first one included; botocore waits up to 1, 2, 4 ... seconds in between when throttled."""

_STARTED = "manuel_release_started"


@dataclass(frozen=True)
class Call:
    """One API call that was made; a retried one counts once, with its attempts.

    at: when it began. seconds: until the answer. error: AWS's code or the exception's name, empty when it worked.
    answered_at: AWS's own clock in the answer, in whole seconds; None without an answer.
    """

    service: str
    operation: str
    at: datetime
    seconds: float
    attempts: int = 1
    error: str = ""
    answered_at: datetime | None = None


class Session:
    """Makes clients, each once; may be used by several threads."""

    def __init__(
        self, profile: str | None, region: str | None, default_region: str, pacing: Pacing | None = None
    ) -> None:
        """Remember how to sign in; nothing is read or loaded yet.

        Args:
            profile: of the AWS configuration files; None for AWS_PROFILE or the default credentials.
            region: what --region says.
            default_region: where nothing else names one.
            pacing: keeps requests below AWS's quotas; None for those of the process alone.
        """
        self.profile = profile or None
        self._region = region
        self._default_region = default_region
        self._pacing = pacing or Pacing()
        self._lock = threading.RLock()
        self._clients: dict[tuple[str, int], Any] = {}
        self._calls: list[Call] = []

    @cached_property
    def region(self) -> str:
        """--region, else AWS_REGION or AWS_DEFAULT_REGION, else the profile's, else the settings'.

        Raises AccessError when the profile does not exist.
        """
        named = self._region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if named:
            return named
        with translated("cannot read the AWS configuration"):
            return str(self._botocore.get_config_variable("region") or self._default_region)

    @cached_property
    def _botocore(self) -> BotocoreSession:
        import botocore.session  # noqa: PLC0415 - 0.3 s; the whole point of this module

        return botocore.session.Session(profile=self.profile)

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call that has been answered, in the order of the answers."""
        with self._lock:
            return tuple(self._calls)

    @property
    def count(self) -> int:
        """How many API calls have been answered."""
        with self._lock:
            return len(self._calls)

    @overload
    def client(self, name: Literal["apigateway"]) -> APIGatewayClient: ...
    @overload
    def client(self, name: Literal["cloudformation"]) -> CloudFormationClient: ...
    @overload
    def client(self, name: Literal["cloudwatch"]) -> CloudWatchClient: ...
    @overload
    def client(self, name: Literal["codedeploy"]) -> CodeDeployClient: ...
    @overload
    def client(self, name: Literal["codebuild", "codepipeline"]) -> Any: ...
    @overload
    def client(self, name: Literal["cognito-idp"]) -> CognitoIdentityProviderClient: ...
    @overload
    def client(self, name: Literal["dynamodb"]) -> DynamoDBClient: ...
    @overload
    def client(self, name: Literal["iam"]) -> IAMClient: ...
    @overload
    def client(self, name: Literal["lambda"], *, read_seconds: int = READ_SECONDS) -> LambdaClient: ...
    @overload
    def client(self, name: Literal["logs"]) -> CloudWatchLogsClient: ...
    @overload
    def client(self, name: Literal["s3"]) -> S3Client: ...
    @overload
    def client(self, name: Literal["sns"]) -> SNSClient: ...
    @overload
    def client(self, name: Literal["ssm"]) -> SSMClient: ...
    @overload
    def client(self, name: Literal["sts"]) -> STSClient: ...
    def client(self, name: str, *, read_seconds: int = READ_SECONDS) -> Any:
        """The client of a service; `read_seconds` is how long an answer may take.

        Raises AccessError when the profile does not exist.
        """
        with self._lock:
            if (name, read_seconds) not in self._clients:
                self._clients[name, read_seconds] = self._new_client(name, read_seconds)
            return self._clients[name, read_seconds]

    def _new_client(self, name: str, read_seconds: int) -> Any:
        from botocore.config import Config  # noqa: PLC0415

        with translated(f"cannot use {name} of AWS"):
            client = self._botocore.create_client(
                name,
                region_name=self.region,
                config=Config(
                    retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS},
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=read_seconds,
                    tcp_keepalive=True,  # NAT gateways forget a connection that is silent for 350 s
                    user_agent_extra=f"manuel-release/{__version__}",
                ),
            )
        client.meta.events.register("before-parameter-build", self._begin)
        client.meta.events.register("before-send", self._pace)
        client.meta.events.register("after-call", self._answered)
        client.meta.events.register("after-call-error", self._broken)
        return client

    def _begin(self, context: dict[str, Any], model: OperationModel, **_: object) -> None:
        context[_STARTED] = (model.service_model.service_name, model.name, datetime.now(UTC), time.monotonic())

    def _pace(self, event_name: str, **_: object) -> None:
        """Every attempt of every call comes by here: `before-send.<service>.<operation>`."""
        service, operation = event_name.split(".")[1:]
        self._pacing.wait(service, operation)

    def _answered(self, context: dict[str, Any], parsed: dict[str, Any], **_: object) -> None:
        told = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        self._log(context, parsed.get("Error", {}).get("Code", ""), _moment(told))

    def _broken(self, context: dict[str, Any], exception: Exception, **_: object) -> None:
        self._log(context, type(exception).__name__)

    def _log(self, context: dict[str, Any], error: str, answered_at: datetime | None = None) -> None:
        service, operation, at, started = context[_STARTED]
        attempts = int(context.get("retries", {}).get("attempt", 1))
        call = Call(service, operation, at, time.monotonic() - started, attempts, error, answered_at)
        with self._lock:
            self._calls.append(call)

    def close(self) -> None:
        """Close every connection; a later `client` opens new ones."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


def _moment(header: str) -> datetime | None:
    """The moment in an HTTP `Date` header (RFC 9110, section 5.6.7); None when it is none."""
    try:
        return parsedate_to_datetime(header).astimezone(UTC)
    except ValueError:
        return None
