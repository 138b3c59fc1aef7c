"""Systems Manager Parameter Store: small facts that several stacks and people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.aws.errors import translated
from manuel_release.aws.masking import hide
from manuel_release.model.parameter import StoredValue

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

    from manuel_release.aws.session import Session


class Parameters:
    """Reads parameters of every type, and writes those of type String."""

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

    def read(self, name: str) -> StoredValue | None:
        """One version of a parameter, the newest unless `name` ends in `:3`; None when there is no such thing.

        A SecureString is decrypted, which needs `kms:Decrypt`, and kept out of every text that AWS sends later.
        """
        with translated(f"cannot read parameter {name}"):
            try:
                found = self._client.get_parameter(Name=name, WithDecryption=True)["Parameter"]
            except (self._client.exceptions.ParameterNotFound, self._client.exceptions.ParameterVersionNotFound):
                return None
        secret, value = found.get("Type") == "SecureString", found.get("Value", "")
        if secret:
            hide(value)
        return StoredValue(name.partition(":")[0], found.get("Version", 0), secret, value)

    def put(self, name: str, value: str) -> None:
        """Write a parameter, whether it exists or not; a value has 1 to 4,096 characters."""
        with translated(f"cannot write parameter {name}"):
            self._client.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
