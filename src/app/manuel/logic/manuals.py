"""What a manual may be, and where it is kept.

A manual is one object, `manuals/<user>/<id>/<file name>`: the key says whose it is, so no lookup can go wrong. Ids
begin with the time, so that a listing is in the order of upload.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from manuel.errors import InvalidRequestError, NotFoundError, TooLargeError

if TYPE_CHECKING:
    from datetime import datetime

    from manuel.models import Manual, Upload

# The formats and the size that a Bedrock Knowledge Base takes:
# https://docs.aws.amazon.com/bedrock/latest/userguide/knowledge-base-ds.html
CONTENT_TYPES = {
    ".csv": "text/csv",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".html": "text/html",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".txt": "text/plain",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MAX_BYTES = 50 * 1024 * 1024
MAX_FETCHED_BYTES = 10 * 1024 * 1024  # a fetched manual passes through the function's memory
MAX_NAME_BYTES = 200
MANUAL_ID = re.compile(r"[0-9a-f]{32}")
KEY = re.compile(r"manuals/([A-Za-z0-9-]{1,128})/([0-9a-f]{32})/([^/]+)")
SIDE_FILE = ".metadata.json"
DEFAULT_PAGE = 50
MAX_PAGE = 100


@dataclass(frozen=True)
class Owned:
    """What a key says: whose manual it is, which one, and its file's name."""

    user_id: str
    manual_id: str
    file_name: str


@dataclass(frozen=True)
class UploadRequest:
    """A file that the caller wants to upload."""

    file_name: str
    content_type: str
    size_bytes: int


@dataclass(frozen=True)
class FetchRequest:
    """A file that the caller wants fetched from a public `https` address."""

    source_url: str
    file_name: str | None


def new_id(now: datetime) -> str:
    """A manual's id: 12 hexadecimal digits of the time in milliseconds and 20 random ones."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def shelf(user_id: str) -> str:
    """The key prefix of all manuals of a user."""
    return f"manuals/{user_id}/"


def folder(user_id: str, manual_id: str) -> str:
    """The key prefix of one manual; raises NotFoundError for what cannot be an id."""
    if not MANUAL_ID.fullmatch(manual_id):
        raise NotFoundError("There is no such manual.")
    return f"{shelf(user_id)}{manual_id}/"


def owner(key: str) -> Owned | None:
    """What the key of a manual's file says; None for anything else, side files too."""
    match = KEY.fullmatch(key)
    return Owned(*match.groups()) if match and not key.endswith(SIDE_FILE) else None


def parse_upload(body: dict[str, Any]) -> UploadRequest | FetchRequest:
    """What the caller asks for; raises InvalidRequestError or TooLargeError."""
    unknown = sorted(set(body) - {"file_name", "content_type", "size_bytes", "source_url"})
    if unknown:
        raise InvalidRequestError(f"Unknown field: {', '.join(unknown)}.")
    if "source_url" in body:
        if body.keys() & {"content_type", "size_bytes"}:
            raise InvalidRequestError("content_type and size_bytes do not go with source_url.")
        name = body.get("file_name")
        url = body["source_url"]
        if not isinstance(url, str):
            raise InvalidRequestError("source_url must be a string.")
        return FetchRequest(url, None if name is None else checked_name(name))
    name = checked_name(body.get("file_name"))
    size = body.get("size_bytes")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise InvalidRequestError("size_bytes must be the file's size, a whole number of at least 1.")
    if size > MAX_BYTES:
        raise TooLargeError(f"A manual may have at most {MAX_BYTES} bytes.")
    expected = content_type(name)
    if body.get("content_type", expected) != expected:
        raise InvalidRequestError(f"content_type must be {expected} for {PurePosixPath(name).suffix.lower()} files.")
    return UploadRequest(name, expected, size)


def checked_name(name: object) -> str:
    """`name` as it is kept; raises InvalidRequestError when it cannot be the name of a manual's file."""
    if not isinstance(name, str):
        raise InvalidRequestError("file_name must be a string.")
    name = unicodedata.normalize("NFC", name).strip()
    if not name or "/" in name or "\\" in name or any(unicodedata.category(c)[0] == "C" for c in name):
        raise InvalidRequestError("file_name must be a plain file name.")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidRequestError(f"file_name may have at most {MAX_NAME_BYTES} bytes.")
    content_type(name)
    return name


def content_type(file_name: str) -> str:
    """The media type that the name's ending stands for; raises InvalidRequestError for other formats."""
    suffix = PurePosixPath(file_name).suffix.lower()
    if suffix not in CONTENT_TYPES:
        raise InvalidRequestError(f"A manual is one of {', '.join(sorted(CONTENT_TYPES))}.")
    return CONTENT_TYPES[suffix]


def page_size(text: str | None) -> int:
    """How many manuals a page of the listing has; raises InvalidRequestError."""
    if text is None:
        return DEFAULT_PAGE
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= MAX_PAGE:
        raise InvalidRequestError(f"limit must be a whole number from 1 to {MAX_PAGE}.")
    return int(text)


def cursor(manual_id: str) -> str:
    """Where a listing goes on: after this manual. It names no user, so it is of no use to another one."""
    return base64.urlsafe_b64encode(bytes.fromhex(manual_id)).decode().rstrip("=")


def position(text: str | None) -> str | None:
    """The manual after which a listing goes on; raises InvalidRequestError."""
    if text is None:
        return None
    try:
        manual_id = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).hex()
    except (binascii.Error, ValueError):
        manual_id = ""
    if not MANUAL_ID.fullmatch(manual_id):
        raise InvalidRequestError("cursor must be a next_cursor of an earlier answer.")
    return manual_id


def describe(manual: Manual) -> dict[str, Any]:
    """A manual as the API says it."""
    return {
        "manual_id": manual.manual_id,
        "file_name": manual.file_name,
        "content_type": manual.content_type,
        "size_bytes": manual.size_bytes,
        "uploaded_at": manual.uploaded_at.isoformat(),
    }


def describe_upload(upload: Upload) -> dict[str, Any]:
    """A permission to upload as the API says it."""
    return {
        "method": upload.method,
        "url": upload.url,
        "headers": upload.headers,
        "expires_in_seconds": upload.expires_in_seconds,
    }
