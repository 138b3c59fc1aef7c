"""S3: the bucket of templates and packages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from manuel_release.aws.errors import code_of, translated
from manuel_release.errors import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from manuel_release.aws.session import Session


class Storage:
    """Writes and finds objects."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def _client(self) -> S3Client:
        return self._session.client("s3")

    def upload(self, bucket: str, key: str, body: bytes | Path) -> None:
        """Write an object of at most 5 GB; a file is read while it is sent.

        Raises SettingsError when there is no such bucket.
        """
        with translated(f"cannot write s3://{bucket}/{key}"):
            try:
                if isinstance(body, Path):
                    with body.open("rb") as stream:
                        self._client.put_object(Bucket=bucket, Key=key, Body=stream)
                else:
                    self._client.put_object(Bucket=bucket, Key=key, Body=body)
            except self._client.exceptions.NoSuchBucket as error:
                raise SettingsError(
                    f"bucket {bucket} does not exist in {self._session.region}",
                    hint="Run `manuel-release bootstrap` once for this account and region, or check --region.",
                ) from error

    def download(self, bucket: str, key: str) -> bytes | None:
        """A small object; None when it is not there."""
        with translated(f"cannot read s3://{bucket}/{key}"):
            try:
                with self._client.get_object(Bucket=bucket, Key=key)["Body"] as stream:
                    return stream.read()
            except self._client.exceptions.NoSuchKey:
                return None

    def template_url(self, bucket: str, key: str) -> str:
        """The address that CloudFormation reads a template from; path-style, as `sam deploy` writes it."""
        return f"{self._client.meta.endpoint_url}/{bucket}/{quote(key)}"

    def exists(self, bucket: str, key: str) -> bool:
        """Whether the object is there; without the permission to list the bucket AWS answers 403 instead of 404."""
        with translated(f"cannot look for s3://{bucket}/{key}"):
            try:
                self._client.head_object(Bucket=bucket, Key=key)
            except self._client.exceptions.ClientError as error:
                if code_of(error) in {"404", "NoSuchKey", "NotFound"}:
                    return False
                raise
        return True
