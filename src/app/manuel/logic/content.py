"""Whether a file's first bytes are what its type says.

https://www.rfc-editor.org/rfc/rfc8118 (PDF), https://www.loc.gov/preservation/digital/formats/ (the others)
"""

from __future__ import annotations

HEAD_BYTES = 1024
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
BEGINNINGS = {".doc": OLE, ".xls": OLE, ".docx": ZIP, ".xlsx": ZIP}
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def audio(media_format: str, head: bytes) -> bool:
    """Whether `head`, the first bytes of a file, begins a `mp4`, `wav` or `webm` file."""
    if media_format == "wav":
        return head[:4] == b"RIFF" and head[8:12] == b"WAVE"
    if media_format == "mp4":
        return head[4:8] == b"ftyp"
    return head[:4] == b"\x1a\x45\xdf\xa3"  # EBML


def document(suffix: str, head: bytes) -> bool:
    """Whether `head`, the first HEAD_BYTES of a file, begins a manual with this ending of its name, such as `.pdf`."""
    if suffix == ".pdf":
        return b"%PDF-" in head  # anything may come before it within these bytes
    if suffix in BEGINNINGS:
        return head.startswith(BEGINNINGS[suffix])
    return b"\0" not in head or head.startswith(UTF_16)
