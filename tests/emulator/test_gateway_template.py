"""Stacks with a stage: what its template sets, what an update changes, and what it leaves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from emulator.gateway_templates import HELLO, created, said, template
from emulator.gateway_world import World, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World(cloud) as made:
        yield made


def test_a_stage_keeps_every_property_of_its_template(world):
    group = "arn:aws:logs:eu-west-1:123456789012:log-group:access"
    stack, api = created(
        world,
        HELLO,
        Variables={"release": "live"},
        Description="the API",
        TracingEnabled="true",
        CanarySetting={"PercentTraffic": "10", "StageVariableOverrides": {"release": "r-2"}, "UseStageCache": "false"},
        AccessLogSetting={"DestinationArn": group, "Format": "$context.requestId"},
        CacheClusterEnabled="true",
        CacheClusterSize="1.6",
        MethodSettings=[
            {"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 50, "ThrottlingBurstLimit": "100"},
            {"ResourcePath": "/~1hello", "HttpMethod": "GET", "CachingEnabled": "true", "CacheTtlInSeconds": 60},
        ],
    )
    stage = world.shown(api)
    assert stage["variables"] == {"release": "live"}
    assert (stage["description"], stage["tracingEnabled"]) == ("the API", True)
    assert stage["canarySettings"] == {
        "deploymentId": stage["deploymentId"],
        "percentTraffic": 10.0,
        "useStageCache": False,
        "stageVariableOverrides": {"release": "r-2"},
    }
    assert stage["accessLogSettings"] == {"destinationArn": group, "format": "$context.requestId"}
    assert (stage["cacheClusterEnabled"], stage["cacheClusterSize"]) == (True, "1.6")
    everything, hello = stage["methodSettings"]["*/*"], stage["methodSettings"]["~1hello/GET"]
    assert (everything["throttlingRateLimit"], everything["throttlingBurstLimit"]) == (50.0, 100)
    assert (hello["cachingEnabled"], hello["cacheTtlInSeconds"]) == (True, 60)
    assert stage["deploymentId"] == world.resource(stack, "DeploymentFirst")


def test_a_stage_updates_every_changed_property_in_place(world):
    group = "arn:aws:logs:eu-west-1:123456789012:log-group:access"
    stack, api = created(
        world,
        HELLO,
        CanarySetting={"PercentTraffic": 10, "StageVariableOverrides": {"release": "r-2", "old": "x"}},
        AccessLogSetting={"DestinationArn": group, "Format": "$context.requestId"},
        MethodSettings=[{"ResourcePath": "/~1hello", "HttpMethod": "GET", "ThrottlingRateLimit": 5}],
    )
    changed = template(
        HELLO,
        Description="new",
        CanarySetting={"PercentTraffic": 50, "StageVariableOverrides": {"release": "r-3"}, "UseStageCache": True},
        CacheClusterEnabled=True,
        CacheClusterSize="0.5",
        MethodSettings=[{"ResourcePath": "/*", "HttpMethod": "*", "CacheTtlInSeconds": 30}],
    )
    assert world.deploy(stack, changed) == "UPDATE_COMPLETE"
    stage = world.shown(api)
    assert stage["description"] == "new"
    assert stage["canarySettings"] == {
        "deploymentId": stage["deploymentId"],
        "percentTraffic": 50.0,
        "useStageCache": True,
        "stageVariableOverrides": {"release": "r-3"},
    }
    assert "accessLogSettings" not in stage
    assert (stage["cacheClusterEnabled"], stage["cacheClusterSize"]) == (True, "0.5")
    assert {key: entry["cacheTtlInSeconds"] for key, entry in stage["methodSettings"].items()} == {"*/*": 30}


def test_a_method_setting_of_the_template_throttles_its_method(world):
    slow = {"ResourcePath": "/~1hello", "HttpMethod": "GET", "ThrottlingRateLimit": 0, "ThrottlingBurstLimit": 0}
    _stack, api = created(world, {**HELLO, "/free": {"get": said("free")}}, MethodSettings=[slow])
    assert world.get(api, "/hello").status == 429
    assert world.get(api, "/free").status == 200


def test_a_canary_that_is_no_longer_in_the_template_stays_on_the_stage(world):
    stack, api = created(world, HELLO, CanarySetting={"PercentTraffic": 10})
    assert world.deploy(stack, template(HELLO, Description="canary gone")) == "UPDATE_COMPLETE"
    assert world.shown(api)["canarySettings"]["percentTraffic"] == 10.0


def test_the_templates_variables_are_applied_again_only_when_they_change(world):
    stack, api = created(world, HELLO, Variables={"release": "live", "old": "x"})
    world.patch(api, ("replace", "/variables/release", "r-1"), ("replace", "/variables/current", "r-1"))
    world.deploy(stack, template(HELLO, Variables={"release": "live", "old": "x"}, Description="more"))
    assert world.shown(api)["variables"] == {"release": "r-1", "old": "x", "current": "r-1"}
    world.deploy(stack, template(HELLO, Variables={"release": "live", "model": "small"}, Description="more"))
    assert world.shown(api)["variables"] == {"release": "live", "model": "small", "current": "r-1"}


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        ({"DeploymentId": "deploy"}, "Deployment id does not exist"),
        ({"CanarySetting": {"PercentTraffic": 101}}, "between 0.0 and 100.0"),
        ({"Variables": {"release": "a;b"}}, "Invalid stage variable value of key release."),
        (
            {"AccessLogSetting": {"DestinationArn": "arn:aws:logs:::log-group:x", "Format": "$context.status"}},
            "must include",
        ),
    ],
)
def test_a_stage_that_aws_refuses_fails_the_stack_with_the_services_words(world, stage, reason):
    stack = unique("stack")
    assert world.deploy(stack, template(HELLO, **stage)) == "ROLLBACK_COMPLETE"
    events = world.stacks.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert [event["LogicalResourceId"] for event in failed] == ["Stage"]
    assert reason in failed[0]["ResourceStatusReason"]


def test_a_failing_update_leaves_the_stage_as_it_was(world):
    stack, api = created(world, HELLO, Variables={"release": "live"})
    before = world.shown(api)
    wrong = template(HELLO, Variables={"release": "live", "model": "small"}, CanarySetting={"PercentTraffic": 101})
    assert world.deploy(stack, wrong) == "UPDATE_ROLLBACK_COMPLETE"
    after = world.shown(api)
    assert {**after, "lastUpdatedDate": 0} == {**before, "lastUpdatedDate": 0}
