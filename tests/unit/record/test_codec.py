from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manuel_release.errors import ReleaseError
from manuel_release.model.entry import SCHEMA_VERSION, Entry, EntryKind, Lease
from manuel_release.record import codec, entry_id

NOON = datetime(2026, 11, 23, 12, 0, 0, 25, tzinfo=UTC)
ENTRY = Entry(
    id="2026-11-23T12:00:00.000025Z#0a1b2c3d",
    environment="production",
    api_stage="v1",
    at=NOON,
    kind=EntryKind.RELEASE_LIVE,
    release="r-13",
    by="jane (jane@laptop)",
    reason="the spring release",
    details={"versions": {"manuel-health-prod": "4"}, "previous": "r-12", "share": 0.5},
)
moments = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))]),
)


@pytest.mark.parametrize("kind", EntryKind)
def test_an_entry_of_every_kind_comes_back_as_it_was(kind) -> None:
    entry = Entry(**{**vars(ENTRY), "kind": kind})

    assert codec.item_to_entry(codec.entry_to_item(entry)) == entry


def test_an_entry_is_kept_under_its_environment_and_the_logs_prefix() -> None:
    item = codec.entry_to_item(ENTRY)

    assert (item["environment"], item["entry"]) == ("production", "log#2026-11-23T12:00:00.000025Z#0a1b2c3d")
    assert (item["kind"], item["schema_version"]) == ("release_live", SCHEMA_VERSION)


def test_a_lease_comes_back_as_it_was() -> None:
    lease = Lease("production", "v1", "jane", "deploy", "t", NOON, NOON + timedelta(seconds=90))

    assert codec.item_to_lease(codec.lease_to_item(lease)) == lease


@given(moments)
def test_a_moment_comes_back_to_the_microsecond_in_utc(moment) -> None:
    back = codec.to_moment(codec.to_text(moment))

    assert back == moment
    assert back.utcoffset() == timedelta(0)


@given(moments, moments)
def test_moments_sort_as_text_as_they_do_as_time(one, other) -> None:
    assert (codec.to_text(one) < codec.to_text(other)) == (one < other)


def test_ids_of_one_moment_differ_and_those_of_a_later_one_sort_later() -> None:
    first, second = entry_id(NOON), entry_id(NOON)

    assert first != second
    assert max(first, second) < entry_id(NOON + timedelta(microseconds=1))


def test_releases_sort_by_number() -> None:
    assert codec.release_key(9) < codec.release_key(10) < codec.release_key(99_999) < codec.release_key(100_000)
    assert codec.release_number({"entry": codec.release_key(13)}) == 13


def test_an_entry_of_an_older_version_is_read_with_defaults() -> None:
    item = {
        "environment": "dev",
        "entry": "log#2020-01-01T00:00:00.000000Z#00000000",
        "api_stage": "v1",
        "at": "2020-01-01T00:00:00.000000Z",
        "kind": "deploy_started",
    }

    entry = codec.item_to_entry(item)

    assert (entry.release, entry.by, entry.reason, entry.details, entry.schema_version) == ("", "", "", {}, 1)


@pytest.mark.parametrize(
    ("newer", "complaint"),
    [
        ({"kind": "teleported"}, "this tool does not know what `teleported` means"),
        ({"schema_version": SCHEMA_VERSION + 1}, f"its schema version is 2, this tool knows {SCHEMA_VERSION}"),
    ],
)
def test_an_entry_of_a_newer_version_says_to_update_the_tool(newer, complaint) -> None:
    with pytest.raises(ReleaseError) as raised:
        codec.item_to_entry({**codec.entry_to_item(ENTRY), **newer})

    assert complaint in raised.value.message
    assert "log#2026-11-23T12:00:00.000025Z#0a1b2c3d of production" in raised.value.message
    assert "update this one" in raised.value.hint
