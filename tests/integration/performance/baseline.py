"""Where the results of releases are kept: a folder here, and the artifacts bucket where it can be reached."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions
from botocore.config import Config as ClientConfig
from integration.performance import measured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from integration.performance.measured import Record

PARAMETER = "/manuel/operations/artifacts"
NEWEST = 40  # records that are read, to compare with and to plot
FAILURES = (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError)


class NotReachedError(Exception):
    """The bucket cannot be used: why, in one sentence."""


@dataclass(frozen=True)
class Folder:
    """`<folder>/<environment>/<release>-<profile>.json`."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def records(self, environment: str) -> list[Record]:
        """What is kept of an environment; raises ValueError for a file that is no record."""
        files = sorted((self.path / environment).glob("*.json"), key=lambda path: path.stat().st_mtime)[-NEWEST:]
        return [_record(file.read_bytes(), str(file)) for file in files]

    def keep(self, record: Record) -> None:
        """Write a record; it replaces what the same release had in the same profile."""
        path = self.path / record.environment / _name(record)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(_bytes(record))
        fresh.replace(path)


@dataclass(frozen=True)
class Bucket:
    """`s3://<name>/performance/<environment>/<release>-<profile>.json` (`client`: boto3's)."""

    name: str
    client: Any

    def __str__(self) -> str:
        return f"s3://{self.name}/performance"

    def records(self, environment: str) -> list[Record]:
        """What is kept of an environment; raises NotReachedError, and ValueError for an object that is no record."""
        try:
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=f"performance/{environment}/"
            )
            found = sorted((one for page in pages for one in page.get("Contents", [])), key=lambda o: o["LastModified"])
            return [
                _record(self.client.get_object(Bucket=self.name, Key=one["Key"])["Body"].read(), one["Key"])
                for one in found[-NEWEST:]
            ]
        except FAILURES as error:
            raise NotReachedError(f"{self} cannot be read: {error}") from None

    def keep(self, record: Record) -> None:
        """Write a record; raises NotReachedError."""
        key = f"performance/{record.environment}/{_name(record)}"
        try:
            self.client.put_object(Bucket=self.name, Key=key, Body=_bytes(record), ContentType="application/json")
        except FAILURES as error:
            raise NotReachedError(f"{self} cannot be written: {error}") from None


@dataclass
class Stores:
    """The folder, and the bucket where there is one. notes: why the bucket was not used, as sentences."""

    folder: Folder
    bucket: Bucket | None
    notes: list[str] = field(default_factory=list)

    def records(self, environment: str) -> list[Record]:
        """Every record of an environment, oldest first, of a release and profile the newest one."""
        found = list(self.folder.records(environment))
        if self.bucket is not None:
            try:
                found += self.bucket.records(environment)
            except NotReachedError as error:
                self.notes.append(f"{error}; only {self.folder} was compared with")
        newest = {(one.release, one.profile): one for one in sorted(found, key=lambda one: one.started_at)}
        return sorted(newest.values(), key=lambda one: one.started_at)

    def keep(self, record: Record) -> list[str]:
        """Keep a record; the places where it is now."""
        self.folder.keep(record)
        kept = [str(self.folder)]
        if self.bucket is not None:
            try:
                self.bucket.keep(record)
                kept.append(str(self.bucket))
            except NotReachedError as error:
                self.notes.append(f"{error}; it is only in {self.folder}")
        return kept


def stores(folder: Path, region: str, variables: Mapping[str, str] | None = None) -> Stores:
    """The places to keep results in: ARTIFACTS_BUCKET says the bucket, otherwise the parameter that bootstrap wrote."""
    variables = os.environ if variables is None else variables
    quick = ClientConfig(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})
    name = variables.get("ARTIFACTS_BUCKET", "")
    if not name:
        ssm = boto3.client("ssm", region_name=region, config=quick)
        try:
            name = ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"]
        except FAILURES as error:
            note = f"ARTIFACTS_BUCKET is not set and {PARAMETER} cannot be read ({error}); results stay in {folder}"
            return Stores(Folder(folder), None, [note])
        finally:
            ssm.close()
    return Stores(Folder(folder), Bucket(name, boto3.client("s3", region_name=region, config=quick)))


def previous(records: Sequence[Record], release: str, profile: str) -> Record | None:
    """What a release is compared with: the newest run in the same profile of another release that passed."""
    found = [one for one in records if one.ok and one.profile == profile and one.release != release]
    return max(found, key=lambda one: one.started_at, default=None)


def _name(record: Record) -> str:
    return f"{record.release}-{record.profile}.json"


def _bytes(record: Record) -> bytes:
    return json.dumps(record.as_json(), separators=(",", ":")).encode()


def _record(text: bytes, where: str) -> Record:
    try:
        return measured.read(json.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{where} is no record of a performance run: {error}") from None
