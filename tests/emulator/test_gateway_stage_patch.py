"""UpdateStage: what it may patch, what it refuses in AWS's words, and that it does all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from emulator.gateway_world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

pytestmark = pytest.mark.emulator

PERCENT = "/canarySettings/percentTraffic"
OVERRIDES = "/canarySettings/stageVariableOverrides"


@pytest.fixture
def world(cloud: EmbeddedCloud) -> Iterator[World]:
    with World(cloud) as made:
        yield made


@pytest.fixture
def api(world: World) -> str:
    made = world.api()
    world.mock(made, "/", "one")
    world.stage(made, variables={"release": "live", "current": "r-1"})
    return made


def refusal(error: pytest.ExceptionInfo[ClientError], code: str = "BadRequestException") -> str:
    assert error.value.response["Error"]["Code"] == code
    return str(error.value.response["Error"]["Message"])


def test_replacing_the_percent_creates_a_canary_on_the_stages_own_deployment(world, api):
    stage = world.patch(api, ("replace", PERCENT, "10"))
    assert stage["canarySettings"] == {
        "deploymentId": stage["deploymentId"],
        "percentTraffic": 10.0,
        "useStageCache": False,
    }
    assert world.shown(api)["canarySettings"] == stage["canarySettings"]


def test_replacing_the_canarys_deployment_creates_a_canary_of_0_percent_on_that_deployment(world, api):
    other = world.deployment(api)
    stage = world.patch(api, ("replace", "/canarySettings/deploymentId", other))
    assert stage["canarySettings"] == {"deploymentId": other, "percentTraffic": 0.0, "useStageCache": False}
    assert stage["deploymentId"] != other


@pytest.mark.parametrize("path", ["/canarySettings/deploymentId", "/deploymentId"])
def test_an_unknown_deployment_is_refused(world, api, path):
    with pytest.raises(ClientError) as error:
        world.patch(api, ("replace", path, "deploy"))
    assert refusal(error) == "Deployment id does not exist"


def test_one_override_is_set_changed_and_dropped_at_a_time(world, api):
    world.patch(api, ("replace", f"{OVERRIDES}/release", "r-1"), ("replace", f"{OVERRIDES}/model", "a"))
    world.patch(api, ("replace", f"{OVERRIDES}/release", "r-2"))
    assert world.shown(api)["canarySettings"]["stageVariableOverrides"] == {"release": "r-2", "model": "a"}
    world.patch(api, ("remove", f"{OVERRIDES}/release", ""))
    assert world.shown(api)["canarySettings"]["stageVariableOverrides"] == {"model": "a"}
    world.patch(api, ("remove", f"{OVERRIDES}/model", ""))
    assert "stageVariableOverrides" not in world.shown(api)["canarySettings"]


def test_add_is_illegal_on_canary_settings(world, api):
    with pytest.raises(ClientError) as error:
        world.patch(api, ("add", "/canarySettings/deploymentId", world.shown(api)["deploymentId"]))
    assert refusal(error) == "Invalid add operation with path: /canarySettings/deploymentId"


@pytest.mark.parametrize("member", ["stageVariableOverrides", "badPath"])
def test_removing_all_overrides_at_once_or_an_unknown_member_is_illegal(world, api, member):
    world.patch(api, ("replace", f"{OVERRIDES}/release", "r-2"))
    with pytest.raises(ClientError) as error:
        world.patch(api, ("remove", f"/canarySettings/{member}", ""))
    assert refusal(error) == (
        f"Cannot remove method setting canarySettings/{member} because there is no method setting for this method "
    )


@pytest.mark.parametrize("path", ["/canarySettings", "/canarySettings/badPath", "/documentation_version", "/tags/one"])
def test_replacing_anything_else_names_the_paths_that_are_legal(world, api, path):
    with pytest.raises(ClientError) as error:
        world.patch(api, ("replace", path, "test"))
    said = refusal(error)
    assert said.startswith(f"Invalid method setting path: {path}. Must be one of: [/deploymentId, /description,")
    assert said.endswith("/variables/{variable_name}, /tracingEnabled]")


def test_copy_merges_the_overrides_into_the_variables_and_leaves_the_canary(world, api):
    other = world.deployment(api)
    world.patch(
        api,
        ("replace", PERCENT, "50"),
        ("replace", f"{OVERRIDES}/release", "r-2"),
        ("replace", "/canarySettings/deploymentId", other),
    )
    promoted = world.patch(
        api,
        ("replace", PERCENT, "0.0"),
        ("copy", "/variables", OVERRIDES),
        ("copy", "/deploymentId", "/canarySettings/deploymentId"),
    )
    assert promoted["variables"] == {"release": "r-2", "current": "r-1"}
    assert promoted["deploymentId"] == other
    assert promoted["canarySettings"] == {
        "deploymentId": other,
        "percentTraffic": 0.0,
        "useStageCache": False,
        "stageVariableOverrides": {"release": "r-2"},
    }


def test_copy_without_a_canary_is_refused(world, api):
    with pytest.raises(ClientError) as error:
        world.patch(api, ("copy", "/variables", OVERRIDES))
    assert refusal(error) == "Promotion not available. Canary does not exist."


def test_copy_goes_from_the_canary_to_the_stage_only(world, api):
    with pytest.raises(ClientError) as error:
        world.patch(api, ("copy", OVERRIDES, "/variables"))
    assert refusal(error) == (
        f"Invalid copy operation with path: {OVERRIDES} and from /variables. Valid copy:path are [/deploymentId, "
        f"/variables] and valid copy:from are [/canarySettings/deploymentId, {OVERRIDES}]"
    )


def test_one_illegal_operation_changes_nothing(world, api):
    before = world.shown(api)
    with pytest.raises(ClientError):
        world.patch(
            api,
            ("replace", "/variables/release", "r-9"),
            ("replace", PERCENT, "50"),
            ("replace", "/*/*/throttling/rateLimit", "1"),
            ("replace", "/canarySettings/deploymentId", "deploy"),
        )
    assert world.shown(api) == before


def test_variables_are_set_and_removed_by_name(world, api):
    world.patch(api, ("replace", "/variables/previous", "r-0"), ("remove", "/variables/current", ""))
    assert world.shown(api)["variables"] == {"release": "live", "previous": "r-0"}


@pytest.mark.parametrize("path", ["/variables/{}", OVERRIDES + "/{}"])
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("a-b", "x", "Invalid stage variable name: a-b. Please use names with only word characters."),
        ("a", "x;y", "Invalid stage variable value of key a.  Please use values with alphanumeric characters and the"),
        ("a" * 65, "x", "Stage variable " + "a" * 65),
        ("a", "x" * 513, "Stage variable a is longer"),
    ],
)
def test_variable_names_and_values_follow_the_rules(world, api, path, name, value, said):  # noqa: PLR0917
    with pytest.raises(ClientError) as error:
        world.patch(api, ("replace", path.format(name), value))
    assert refusal(error).startswith(said)


def test_variables_may_hold_every_character_that_aws_allows(world, api):
    value = "Az09 -._:/?&=,"
    assert world.patch(api, ("replace", "/variables/a_1", value))["variables"]["a_1"] == value


def test_a_stage_has_at_most_100_variables(world, api):
    world.patch(api, *(("replace", f"/variables/v{number}", "x") for number in range(98)))
    with pytest.raises(ClientError) as error:
        world.patch(api, ("replace", "/variables/one_more", "x"))
    assert "at most 100 variables" in refusal(error)


@pytest.mark.parametrize("share", ["0", "0.0", "100", "100.0", "0.5"])
def test_every_percent_from_0_to_100_is_legal(world, api, share):
    assert world.patch(api, ("replace", PERCENT, share))["canarySettings"]["percentTraffic"] == float(share)


@pytest.mark.parametrize("share", ["-1", "100.1", "half", "nan"])
def test_no_other_percent_is_legal(world, api, share):
    with pytest.raises(ClientError) as error:
        world.patch(api, ("replace", PERCENT, share))
    assert "between 0.0 and 100.0" in refusal(error)
    assert "canarySettings" not in world.shown(api)


def test_removing_the_canary_settings_ends_the_canary(world, api):
    world.patch(api, ("replace", PERCENT, "50"), ("replace", "/canarySettings/useStageCache", "true"))
    assert world.shown(api)["canarySettings"]["useStageCache"] is True
    assert "canarySettings" not in world.patch(api, ("remove", "/canarySettings", ""))


def test_method_settings_are_kept_by_method_and_removed_as_a_whole(world, api):
    stage = world.patch(
        api,
        ("replace", "/*/*/caching/enabled", "true"),
        ("replace", "/~1pets~1{id}/GET/throttling/rateLimit", "5"),
        ("replace", "/cacheClusterEnabled", "true"),
    )
    assert stage["methodSettings"]["*/*"]["cachingEnabled"] is True
    assert stage["methodSettings"]["~1pets~1{id}/GET"]["throttlingRateLimit"] == 5.0
    assert (stage["cacheClusterEnabled"], stage["cacheClusterStatus"]) == (True, "AVAILABLE")
    stage = world.patch(api, ("remove", "/~1pets~1{id}/GET", ""))
    assert list(stage["methodSettings"]) == ["*/*"]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (
            "/*/*/caching/ttlInSeconds",
            "3601",
            "Invalid time-to-live setting, must be an integer no greater than 3600",
        ),
        ("/*/*/throttling/rateLimit", "fast", "Invalid value fast for method setting path"),
        ("/cacheClusterSize", "7", "Invalid cache cluster size 7"),
        (
            "/accessLogSettings/format",
            "$context.status",
            "Access Log format must include either $context.requestId or $context.extendedRequestId",
        ),
        (
            "/accessLogSettings/destinationArn",
            "arn:aws:s3:::logs",
            "The ARN must be a valid CloudWatch Logs log group or Kinesis Data Firehose delivery stream",
        ),
    ],
)
def test_settings_that_aws_refuses_are_refused(world, api, path, value, said):
    with pytest.raises(ClientError) as error:
        world.patch(api, ("replace", path, value))
    assert refusal(error).startswith(said)
