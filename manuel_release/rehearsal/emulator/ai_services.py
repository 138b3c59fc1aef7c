"""Starts the AI services beside the embedded AWS and tells the functions' sandboxes where they are.

`process.py` chose the port. ministack's own Bedrock and Transcribe answer with fixed texts and stay unused.
"""

from __future__ import annotations

import os

from ministack.services import s3

from manuel_release.rehearsal.ai.server import AiServices, start
from manuel_release.rehearsal.emulator import sandbox, scope, targets

REQUIRES = {
    "ministack.services.s3._buckets": None,
    "ministack.services.s3._get_object_data": ("bucket_name", "key", "version_id"),
    "ministack.services.s3._put_object": ("bucket_name", "key", "body", "headers"),
}
SERVICES = ("BEDROCK_RUNTIME", "BEDROCK_AGENT_RUNTIME", "BEDROCK_AGENT", "TRANSCRIBE")


class Buckets:
    """The buckets of the account and region that the server was started for."""

    def keys(self, bucket: str) -> list[str]:
        """Every key, in order."""
        record = scope.scoped(*scope.home(), s3._buckets.get, bucket)
        return sorted(record["objects"]) if record else []  # a copy at once: others write

    def read(self, bucket: str, key: str) -> bytes | None:
        """An object's bytes, or None."""
        found: bytes | None = scope.scoped(*scope.home(), s3._get_object_data, bucket, key)
        return found

    def write(self, bucket: str, key: str, body: bytes) -> None:
        """Put an object."""
        scope.scoped(*scope.home(), s3._put_object, bucket, key, body, {})


def install() -> None:
    """Serve, and name the endpoint in the environment that sandboxes take their endpoints from."""
    port = int(os.environ.get("MANUEL_AI_PORT", "0"))
    services = AiServices(Buckets())
    endpoint = f"http://127.0.0.1:{start(services, port).server_address[1]}"
    for service in SERVICES:
        os.environ[sandbox.PASSED_ON + service] = endpoint
    targets.at_reset(services.clear)
