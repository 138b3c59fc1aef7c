"""What people were told."""

from __future__ import annotations

import pytest

from manuel_release.model.notice import Notice, NoticeKind
from manuel_release.record.notices import Notices


@pytest.fixture
def notice(clock) -> Notice:
    return Notice(
        NoticeKind.ROLLBACK_TRIGGERED,
        "production",
        "r-13",
        clock.now,
        "r-13 is taken back: 5xx > 5 in 5 min",
        {"next": "manuel-release incident show i-1"},
        problem="no topic is known",
    )


def test_notices_come_back_whole_and_oldest_first(table, clock, notice) -> None:
    notices = Notices(table)
    notices.keep(notice)
    clock.forward(60)
    later = Notice(NoticeKind.ROLLBACK_COMPLETED, "prod", "r-13", clock.now, "r-12 serves")
    notices.keep(later)

    first, second = notices.of("prod")

    assert first == notice
    assert (second.kind, second.environment, second.text) == (later.kind, "production", later.text)
    assert notices.of("dev") == ()


def test_notices_are_not_entries_of_the_journal(table, ledger, notice) -> None:
    Notices(table).keep(notice)

    assert ledger.entries("production") == ()


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_of_notice_can_be_read_again(table, clock, kind) -> None:
    Notices(table).keep(Notice(kind, "dev", "r-1", clock.now, "text"))

    assert [one.kind for one in Notices(table).of("dev")] == [kind]
