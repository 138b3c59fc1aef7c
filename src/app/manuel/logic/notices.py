"""What S3 tells about the manuals bucket.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from manuel.logic import manuals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel.logic.manuals import Owned


@dataclass(frozen=True)
class Notice:
    """A manual that was uploaded, or (`removed`) deleted. `token` is the same each time this event is delivered."""

    key: str
    manual: Owned
    removed: bool
    token: str


def is_notice(event: Mapping[str, Any]) -> bool:
    """Whether an event is one of S3's."""
    records = event.get("Records")
    return isinstance(records, list) and all(one.get("eventSource") == "aws:s3" for one in records)


def read(event: Mapping[str, Any]) -> list[Notice]:
    """The manuals that an event is about; side files, which are written because of such an event, are not."""
    found = []
    for record in event["Records"]:
        key = unquote_plus(record["s3"]["object"]["key"])
        manual = manuals.owner(key)
        if manual is not None:
            removed = str(record["eventName"]).startswith("ObjectRemoved:")
            unique = f"{key}\n{record['eventName']}\n{record['s3']['object'].get('sequencer') or record['eventTime']}"
            found.append(Notice(key, manual, removed, hashlib.sha256(unique.encode()).hexdigest()))
    return found


def side_file(manual: Owned) -> bytes:
    """The metadata by which a search finds only its user's passages.

    https://docs.aws.amazon.com/bedrock/latest/userguide/kb-metadata.html
    """
    attributes = {"user_id": manual.user_id, "manual_id": manual.manual_id, "file_name": manual.file_name}
    return json.dumps({"metadataAttributes": attributes}, ensure_ascii=False).encode()
