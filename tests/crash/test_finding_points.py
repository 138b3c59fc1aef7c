"""Which calls count as changes is AWS's word, and every death is in exactly one part of the full set."""

from __future__ import annotations

import botocore.session
import pytest
from crash.dying import changes, label
from crash.points import COMMANDS, Point, recoveries
from crash.test_crash_points import SLICES, jobs, mine, shard

CHANGING = {
    "apigateway": ("UpdateStage", "FlushStageCache", "CreateDeployment"),
    "cloudformation": ("CreateChangeSet", "ExecuteChangeSet", "ContinueUpdateRollback"),
    "codedeploy": ("CreateDeployment", "StopDeployment"),
    "dynamodb": ("PutItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"),
    "lambda": ("PublishVersion", "CreateAlias", "DeleteFunction", "Invoke"),
    "s3": ("PutObject", "CreateMultipartUpload"),
}
READING = {
    "apigateway": ("GetStage", "GetDeployments"),
    "cloudformation": ("DescribeStacks", "GetTemplate", "ListChangeSets"),
    "codedeploy": ("GetDeployment", "ListDeployments", "BatchGetDeployments"),
    "dynamodb": ("GetItem", "Query", "Scan", "BatchGetItem"),
    "iam": ("SimulatePrincipalPolicy",),
    "lambda": ("GetAlias", "ListVersionsByFunction"),
    "s3": ("GetObject", "HeadObject"),
}


def operation(service: str, name: str):
    return botocore.session.Session().get_service_model(service).operation_model(name)


@pytest.mark.parametrize(("service", "name"), [(one, name) for one, names in CHANGING.items() for name in names])
def test_a_call_may_change_something_when_nothing_says_that_it_reads(service: str, name: str) -> None:
    assert changes(operation(service, name))


@pytest.mark.parametrize(("service", "name"), [(one, name) for one, names in READING.items() for name in names])
def test_a_question_is_no_crash_point(service: str, name: str) -> None:
    assert not changes(operation(service, name))


def test_entries_of_the_ledger_are_told_apart_by_what_they_say() -> None:
    put = operation("dynamodb", "PutItem")

    lease = {"Item": {"environment": {"S": "dev"}, "entry": {"S": "lease#v1"}, "kind": {"S": "unused"}}}
    live = {"Item": {"environment": {"S": "dev"}, "entry": {"S": "log#2026#1"}, "kind": {"S": "release_live"}}}

    assert label(put, lease) == "dynamodb.PutItem lease"
    assert label(put, live) == "dynamodb.PutItem log release_live"
    assert label(operation("lambda", "CreateAlias"), {"Name": "r-5"}) == "lambda.CreateAlias"


@pytest.mark.parametrize("text", ["0/4", "5/4", "x"])
def test_a_shard_that_is_no_part_of_the_whole_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        shard(text)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_every_death_is_in_exactly_one_part_of_the_full_set(command) -> None:
    points = [Point("a.Call", number, when) for number in range(1, 20) for when in ("before", "after")]
    whole = jobs(command, points)

    parts = [mine(whole, piece, part, 3) for part in (1, 2, 3) for piece in range(SLICES)]

    assert sorted(job for part in parts for job in part) == sorted(whole)
    assert len(whole) == len(points) * len(command.recoveries)


def test_one_recovery_for_each_death_still_tries_both_in_every_state_of_the_world() -> None:
    command = COMMANDS[0]

    after = recoveries(command, Point("a.Call", 1, "after"), every=False)
    before_the_next = recoveries(command, Point("b.Call", 1, "before"), every=False)

    assert {*after, *before_the_next} == set(command.recoveries)
