from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
ASKED = {
    "logGroupName": "/manuel/prod/api-access",
    "filterPattern": "{ $.status = 5* }",
    "startTime": 1_772_460_000_000,
    "endTime": 1_772_460_059_999,
}


def test_matching_lines_of_every_page_are_read_and_the_end_is_exclusive(aws, stub) -> None:
    logs = stub("logs")
    logs.add_response("filter_log_events", {"events": [{"message": "one"}], "nextToken": "more"}, ASKED)
    logs.add_response("filter_log_events", {"events": [{"message": "two"}]}, {**ASKED, "nextToken": "more"})

    found = aws.logs.matching(ASKED["logGroupName"], ASKED["filterPattern"], START, START + timedelta(minutes=1))

    assert found == ("one", "two")


def test_a_group_that_does_not_exist_has_no_lines(aws, stub) -> None:
    stub("logs").add_client_error("filter_log_events", "ResourceNotFoundException", expected_params=ASKED)

    found = aws.logs.matching(ASKED["logGroupName"], ASKED["filterPattern"], START, START + timedelta(minutes=1))

    assert found == ()
