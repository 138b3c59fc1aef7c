"""Who is asking, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """The AWS principal behind the credentials, in the region that commands work in."""

    account_id: str
    arn: str
    region: str

    @property
    def name(self) -> str:
        """The last part of the ARN: a user, or the session name of an assumed role."""
        return self.arn.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
