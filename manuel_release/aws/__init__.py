"""AWS: one module per service; takes and returns the product's models, raises the product's errors.

The only importer of boto3 and botocore, and not before the first client is made: importing this package is cheap.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

from manuel_release.aws.alarms import Alarms
from manuel_release.aws.buckets import Buckets
from manuel_release.aws.deployments import Deployments
from manuel_release.aws.drift import Drift
from manuel_release.aws.errors import code_of, translated
from manuel_release.aws.functions import Functions
from manuel_release.aws.gateway import Gateway
from manuel_release.aws.identity import Identity
from manuel_release.aws.logs import Logs
from manuel_release.aws.metrics import Metrics
from manuel_release.aws.parameters import Parameters
from manuel_release.aws.permissions import Permissions
from manuel_release.aws.pipelines import Pipelines
from manuel_release.aws.session import Call, Session
from manuel_release.aws.stacks import Stacks
from manuel_release.aws.storage import Storage
from manuel_release.aws.table import Table
from manuel_release.aws.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Aws", "Call", "Session", "Table", "code_of", "translated"]


@dataclass
class Aws:
    """The services of one account and region; use it as a context manager, or `close` it.

    sleep: how to wait between two looks; tests hand in their own.
    """

    session: Session
    sleep: Callable[[float], None] = time.sleep

    @cached_property
    def identity(self) -> Identity:
        """Who is asking."""
        return Identity(self.session)

    @cached_property
    def stacks(self) -> Stacks:
        """CloudFormation."""
        return Stacks(self.session, self.sleep)

    @cached_property
    def functions(self) -> Functions:
        """Lambda."""
        return Functions(self.session, self.sleep)

    @cached_property
    def gateway(self) -> Gateway:
        """API Gateway."""
        return Gateway(self.session, self.sleep)

    @cached_property
    def deployments(self) -> Deployments:
        """CodeDeploy."""
        return Deployments(self.session)

    @cached_property
    def alarms(self) -> Alarms:
        """CloudWatch alarms."""
        return Alarms(self.session)

    @cached_property
    def logs(self) -> Logs:
        """CloudWatch Logs."""
        return Logs(self.session)

    @cached_property
    def metrics(self) -> Metrics:
        """CloudWatch's metrics."""
        return Metrics(self.session)

    @cached_property
    def storage(self) -> Storage:
        """S3."""
        return Storage(self.session)

    @cached_property
    def buckets(self) -> Buckets:
        """S3's buckets."""
        return Buckets(self.session)

    @cached_property
    def drift(self) -> Drift:
        """CloudFormation's drift detection."""
        return Drift(self.session, self.sleep)

    @cached_property
    def pipelines(self) -> Pipelines:
        """CodePipeline."""
        return Pipelines(self.session)

    @cached_property
    def parameters(self) -> Parameters:
        """Parameter Store."""
        return Parameters(self.session)

    @cached_property
    def topics(self) -> Topics:
        """SNS."""
        return Topics(self.session)

    @cached_property
    def permissions(self) -> Permissions:
        """IAM, only to ask."""
        return Permissions(self.session)

    def table(self, name: str) -> Table:
        """A DynamoDB table of the ledger's shape."""
        return Table(self.session, name)

    def close(self) -> None:
        """Close every connection."""
        self.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
