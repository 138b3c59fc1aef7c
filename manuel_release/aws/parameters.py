"""Systems Manager Parameter Store: small facts that several stacks and people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

    from manuel_release.aws.session import Session


class Parameters:
    """Reads and writes parameters of type String."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def _client(self) -> SSMClient:
        return self._session.client("ssm")

    def get(self, name: str) -> str | None:
        """A parameter's value; None when it does not exist."""
        with translated(f"cannot read parameter {name}"):
            try:
                return self._client.get_parameter(Name=name)["Parameter"].get("Value", "")
            except self._client.exceptions.ParameterNotFound:
                return None

    def put(self, name: str, value: str) -> None:
        """Write a parameter, whether it exists or not; a value has 1 to 4,096 characters."""
        with translated(f"cannot write parameter {name}"):
            self._client.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
