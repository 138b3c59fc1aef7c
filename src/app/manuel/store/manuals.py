"""Manuals in S3. Every method takes the user first and sees nothing outside that user's prefix."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import boto3
import botocore.exceptions
from botocore.config import Config

from manuel.errors import NotFoundError
from manuel.logic import manuals
from manuel.models import Manual, Upload
from manuel.store.clients import Dependency, config

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

ATTEMPT_SECONDS = 2.0
LINK_SECONDS = 900
MAX_KEYS = 1000


class ManualStore:
    """The manuals bucket."""

    def __init__(self, bucket: str, dependency: Dependency | None = None) -> None:
        self._bucket = bucket
        self._dependency = dependency or Dependency("The manuals store")
        # Only s3v4 signs the headers that bind a presigned upload to its size and type.
        signing = Config(signature_version="s3v4")
        self._client: S3Client = boto3.client("s3", config=config(seconds=ATTEMPT_SECONDS).merge(signing))

    def page(self, user_id: str, *, limit: int, after: str | None) -> tuple[list[Manual], str | None]:
        """A page of the user's manuals, oldest first, and the id after which the next page begins, if there is one."""
        prefix = manuals.shelf(user_id)
        start = f"{prefix}{after}0" if after else prefix  # "0" follows "/": past everything in that manual's folder
        found: list[Manual] = []
        while True:
            objects, more = self._listed(prefix, start=start, limit=2 * limit + 1)  # each may have its side file
            found += [_manual(o) for o in objects if not o["Key"].endswith(manuals.SIDE_FILE)]
            if len(found) > limit:
                return found[:limit], found[limit - 1].manual_id
            if not more:
                return found, None
            start = objects[-1]["Key"]

    def read(self, user_id: str, manual_id: str) -> Manual:
        """One manual of the user; raises NotFoundError."""
        for entry in self._objects(user_id, manual_id):
            if not entry["Key"].endswith(manuals.SIDE_FILE):
                return _manual(entry)
        raise NotFoundError("There is no such manual.")

    def download_link(self, user_id: str, manual: Manual) -> str:
        """A URL that gives the manual's bytes to whoever has it, for LINK_SECONDS."""
        return self._client.generate_presigned_url(
            "get_object",
            Params={"Bucket": self._bucket, "Key": manuals.folder(user_id, manual.manual_id) + manual.file_name},
            ExpiresIn=LINK_SECONDS,
        )

    def upload_link(self, user_id: str, manual_id: str, wanted: manuals.UploadRequest) -> Upload:
        """A permission to put exactly this file: its size and type are part of the signature."""
        url = self._client.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self._bucket,
                "Key": manuals.folder(user_id, manual_id) + wanted.file_name,
                "ContentType": wanted.content_type,
                "ContentLength": wanted.size_bytes,
            },
            ExpiresIn=LINK_SECONDS,
        )
        headers = {"Content-Type": wanted.content_type, "Content-Length": str(wanted.size_bytes)}
        return Upload("PUT", url, headers, LINK_SECONDS)

    def write(self, user_id: str, manual_id: str, file_name: str, content: bytes, now: datetime) -> Manual:
        """Keep a file that was fetched."""
        key = manuals.folder(user_id, manual_id) + file_name
        content_type = manuals.content_type(file_name)
        self._dependency.call(
            lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)
        )
        return Manual(manual_id, file_name, content_type, len(content), now)

    def delete(self, user_id: str, manual_id: str) -> None:
        """Delete a manual and its side file; raises NotFoundError.

        The side file goes last and also when it is not there yet: who writes it looks for its manual afterwards.
        """
        keys = [entry["Key"] for entry in self._objects(user_id, manual_id)]
        if not keys:
            raise NotFoundError("There is no such manual.")
        files = [key for key in keys if not key.endswith(manuals.SIDE_FILE)]
        sides = {key for key in keys if key.endswith(manuals.SIDE_FILE)} | {key + manuals.SIDE_FILE for key in files}
        for key in [*files, *sorted(sides)]:
            self._remove(key)

    def head(self, key: str, size: int) -> bytes | None:
        """The first `size` bytes of a file, or None when it is gone (or empty, which S3 has no range of)."""
        try:
            answer = self._dependency.call(
                lambda: self._client.get_object(Bucket=self._bucket, Key=key, Range=f"bytes=0-{size - 1}")
            )
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "InvalidRange"}:
                return None
            raise
        return answer["Body"].read()

    def present(self, key: str) -> tuple[bool, bool]:
        """Whether a manual's file is there, and whether its side file is."""
        page = self._dependency.call(
            lambda: self._client.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=MAX_KEYS)
        )
        keys = {entry["Key"] for entry in page.get("Contents", [])}
        return key in keys, key + manuals.SIDE_FILE in keys

    def mark(self, key: str, side_file: bytes) -> None:
        """Write the side file of a manual."""
        self._dependency.call(
            lambda: self._client.put_object(
                Bucket=self._bucket, Key=key + manuals.SIDE_FILE, Body=side_file, ContentType="application/json"
            )
        )

    def unmark(self, key: str) -> None:
        """Delete the side file of a manual."""
        self._remove(key + manuals.SIDE_FILE)

    def _remove(self, key: str) -> None:
        self._dependency.call(lambda: self._client.delete_object(Bucket=self._bucket, Key=key))

    def _objects(self, user_id: str, manual_id: str) -> list[ObjectTypeDef]:
        prefix = manuals.folder(user_id, manual_id)
        return self._listed(prefix, start=prefix, limit=10)[0]

    def _listed(self, prefix: str, *, start: str, limit: int) -> tuple[list[ObjectTypeDef], bool]:
        page = self._dependency.call(
            lambda: self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=prefix, StartAfter=start, MaxKeys=min(limit, MAX_KEYS)
            )
        )
        return page.get("Contents", []), page["IsTruncated"]


def _manual(entry: ObjectTypeDef) -> Manual:
    path = PurePosixPath(entry["Key"])
    return Manual(
        manual_id=path.parent.name,
        file_name=path.name,
        content_type=manuals.content_type(path.name),
        size_bytes=entry["Size"],
        uploaded_at=entry["LastModified"],
    )
