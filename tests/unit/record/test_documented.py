"""docs/ledger.md names everything that the ledger keeps."""

from __future__ import annotations

import pytest
from tests_root import ROOT

from manuel_release.model.entry import SCHEMA_VERSION, EntryKind
from manuel_release.record import claims, codec, notices

PAGE = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
PREFIXES = [
    codec.LOG,
    codec.RELEASE,
    codec.LEASE,
    codec.FREEZE,
    codec.QUARANTINE,
    codec.INCIDENT,
    codec.COUNTS,
    codec.HEARTBEAT,
    claims.CLAIM,
    notices.NOTICE,
]


@pytest.mark.parametrize("kind", EntryKind)
def test_every_kind_of_entry_has_a_row(kind) -> None:
    assert f"\n| `{kind}` |" in PAGE


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_kind_of_item_has_a_row(prefix) -> None:
    rows = [line.split("|")[2] for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") > 4]

    assert any(row.startswith((f" `{prefix}<", f" `{prefix}`")) for row in rows)


def test_the_version_of_the_schema_is_the_one_in_use() -> None:
    assert f"`schema_version` is {SCHEMA_VERSION}." in PAGE
