"""The suites' configuration: a file, variables over it, and what a stack says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from integration.suites.config import CATEGORIES, PROFILES, Config, ConfigError, complete, load
from integration.suites.discovery import discovered
from tests_root import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HERE = ROOT / "tests/integration"
COMPLETE = {
    "MANUEL_TEST_URL": "https://api.example.com/dev/",
    "MANUEL_TEST_USER_POOL_ID": "pool",
    "MANUEL_TEST_CLIENT_ID": "client",
}


@pytest.mark.parametrize(
    ("environment", "profile", "make_users"),
    [("dev", "basic", True), ("staging", "full", True), ("production", "smoke", False)],
)
def test_each_environment_has_a_configuration_with_its_profile(
    environment: str, profile: str, make_users: bool
) -> None:
    config = load(HERE / f"test_config_{environment}.json", environment, {})

    assert (config.profile, config.make_users) == (profile, make_users)
    assert config.stack == {"production": "manuel-prod"}.get(environment, f"manuel-{environment}")


@pytest.mark.parametrize("environment", ["dev", "staging", "production"])
def test_the_configurations_say_what_the_templates_parameters_say(environment: str) -> None:
    config = load(HERE / f"test_config_{environment}.json", environment, {})
    parameters = json.loads((ROOT / f"parameters-{environment}.json").read_text())
    values = parameters.get("Parameters", parameters)

    assert config.daily_quota == int(values["DailyQuotaLimit"])
    assert config.advanced_security == (values["EnableAdvancedSecurity"] == "true")


def test_prod_is_production() -> None:
    assert load(HERE / "test_config_production.json", "prod", {}).environment == "production"


def test_variables_go_over_the_file(written: Callable[..., Path]) -> None:
    config = load(written(url="https://old.example.com", user_pool_id="old"), "dev", COMPLETE)

    assert (config.url, config.user_pool_id) == ("https://api.example.com/dev", "pool")


def test_accounts_come_from_the_environment_only_and_are_never_shown(written: Callable[..., Path]) -> None:
    config = load(written(), "dev", {"MANUEL_TEST_ACCOUNTS": "a@example.com:p:w b@example.com:x"})

    assert config.accounts == (("a@example.com", "p:w"), ("b@example.com", "x"))
    assert "p:w" not in repr(config) + json.dumps(config.public)
    with pytest.raises(ConfigError, match="accounts"):
        load(written(accounts=[["a@example.com", "p"]]), "dev", {})


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"environment": "staging"}, "is for 'staging'"),
        ({"environment": None}, "is for None"),
        ({"profile": "everything"}, "profile"),
        ({"colour": "red"}, "colour"),
        ({"requests": "many"}, "requests"),
        ({"make_users": 1}, "make_users"),
        ({"requests": True}, "requests"),
        ({"dependency_faults": "s3"}, "dependency_faults"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_what_is_wrong(
    written: Callable[..., Path], changed: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        load(written(**changed), "dev", {})


def test_a_file_that_is_not_there_or_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text("[]")

    for name, told in (("a.json", "not valid JSON"), ("b.json", "no JSON object"), ("c.json", "cannot be read")):
        with pytest.raises(ConfigError, match=told):
            load(tmp_path / name, "dev", {})


@pytest.mark.parametrize("text", ["a@example.com", "a@example.com:", ":password"])
def test_half_an_account_is_refused(written: Callable[..., Path], text: str) -> None:
    with pytest.raises(ConfigError, match="email:password"):
        load(written(), "dev", {"MANUEL_TEST_ACCOUNTS": text})


def test_what_every_run_needs_is_demanded_by_the_names_of_its_variables(config: Config) -> None:
    assert complete(config) == config
    with pytest.raises(ConfigError, match=r"MANUEL_TEST_URL, MANUEL_TEST_CLIENT_ID .*--discover"):
        complete(replace(config, url="", client_id=""))
    with pytest.raises(ConfigError, match="https://"):
        complete(replace(config, url="api.example.com"))


def test_the_matrix_has_three_profiles_and_seven_categories_with_tests() -> None:
    assert PROFILES == ("smoke", "basic", "full")
    assert len(CATEGORIES) == 7
    for name in CATEGORIES:
        text = "".join(path.read_text() for path in (HERE / "categories" / name).glob("test_*.py"))
        assert "mark.smoke" in text, f"{name} has nothing for production"


def stack(**parameters: str) -> Any:
    client = boto3.client("cloudformation", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y")
    stubber = Stubber(client)
    outputs = {"ApiId": "abc", "ApiStage": "v1", "ApiUrl": "https://a/v1", "UserPoolId": "P", "UserPoolClientId": "C"}
    found = {
        "StackName": "s",
        "CreationTime": "2026-01-01T00:00:00Z",
        "StackStatus": "UPDATE_COMPLETE",
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    }
    stubber.add_response("describe_stacks", {"Stacks": [found]}, {"StackName": "manuel-staging"})
    stubber.activate()
    return client


def test_a_stack_says_its_address_its_ids_and_its_parameters(config: Config) -> None:
    bare = replace(config, url="", user_pool_id="", client_id="", stack="manuel-staging")

    found = discovered(bare, stack(EnableAdvancedSecurity="false", DailyQuotaLimit="7", FaultInjectionLayer="arn:x"))

    assert (found.url, found.user_pool_id, found.client_id) == ("https://a/v1", "P", "C")
    assert (found.advanced_security, found.daily_quota, found.fault_layer) == (False, 7, True)


def test_what_was_given_is_not_discovered(config: Config) -> None:
    found = discovered(replace(config, stack="manuel-staging"), stack())

    assert (found.url, found.client_id, found.advanced_security) == (config.url, "client", True)


def test_an_api_behind_another_name_is_found_by_its_pattern(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANUEL_API_URL", "http://here/{api_id}/{stage}")

    assert discovered(replace(config, url="", stack="manuel-staging"), stack()).url == "http://here/abc/v1"


def test_a_stack_that_is_not_there_is_told(config: Config) -> None:
    client = boto3.client("cloudformation", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y")
    with Stubber(client) as stubber:
        stubber.add_client_error("describe_stacks", "ValidationError", "Stack with id nothing does not exist")
        with pytest.raises(ConfigError, match=r"nothing.*does not exist"):
            discovered(replace(config, stack="nothing"), client)
