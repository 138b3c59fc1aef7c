"""Bedrock and Transcribe for the functions under test: the rehearsal's own, over moto's S3."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from functions.backing import BUCKET

from manuel_release.rehearsal.ai.server import AiServices, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

SERVICES = ("BEDROCK_RUNTIME", "BEDROCK_AGENT_RUNTIME", "BEDROCK_AGENT", "TRANSCRIBE")


class Buckets:
    """moto's S3."""

    def __init__(self) -> None:
        self.s3: Any = boto3.client("s3")

    def keys(self, bucket: str) -> list[str]:
        return [entry["Key"] for entry in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def read(self, bucket: str, key: str) -> bytes | None:
        if key not in self.keys(bucket):
            return None
        return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def write(self, bucket: str, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)


class Ai:
    """The services, a knowledge base over the manuals bucket, and shortcuts."""

    def __init__(self, services: AiServices) -> None:
        self.services = services
        self.ids = services.knowledge.register(BUCKET)

    def calls(self, service: str) -> int:
        return int(self.services.faults.state()["calls"].get(service, 0))

    def manual(self, user: str, manual_id: str, name: str, text: str, owner: str | None = None) -> None:
        """A manual that the knowledge base has read; `owner` is what its side file says, the user if not told."""
        key = f"manuals/{user}/{manual_id}/{name}"
        s3: Any = boto3.client("s3")
        s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
        side = {"metadataAttributes": {"user_id": owner or user}}
        s3.put_object(Bucket=BUCKET, Key=key + ".metadata.json", Body=json.dumps(side).encode())
        self.read()

    def read(self) -> None:
        """Have the knowledge base read the bucket, at once."""
        base = self.services.knowledge._bases[self.ids["knowledge_base_id"]]
        base.index = self.services.knowledge._pieces(BUCKET)


@contextmanager
def ai_services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ai]:
    """The services behind the functions' environment."""
    services = AiServices(Buckets())
    services.transcriptions.seconds = 0.0
    ai = Ai(services)
    with running(services) as endpoint:
        for name in SERVICES:
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", endpoint)
        monkeypatch.setenv("MANUEL_KNOWLEDGE_BASE", ai.ids["knowledge_base_id"])
        monkeypatch.setenv("MANUEL_DATA_SOURCE", ai.ids["data_source_id"])
        yield ai
