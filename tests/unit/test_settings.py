"""Settings: defaults, the file, the environment, SSM."""

from __future__ import annotations

from pathlib import Path

import pytest

from manuel_release.errors import SettingsError, UsageError
from manuel_release.settings import FILE_NAME, Settings, load, parse
from manuel_release.verdict import LimitsMode


def test_the_defaults_are_the_three_environments_with_their_stacks() -> None:
    assert [(e.name, e.short, e.stack, e.canary) for e in Settings().environments] == [
        ("dev", "dev", "manuel-dev", False),
        ("staging", "staging", "manuel-staging", False),
        ("production", "prod", "manuel-prod", True),
    ]


def test_prod_and_production_are_the_same_environment() -> None:
    assert Settings().environment("prod") is Settings().environment("production")


def test_an_unknown_environment_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="dev, staging, production"):
        Settings().environment("qa")


def test_a_file_says_only_what_differs() -> None:
    found = parse('region = "eu-central-1"\n[environments.prod]\naccount_id = "111122223333"\n', "x")

    assert found.region == "eu-central-1"
    assert found.environment("production").account_id == "111122223333"
    assert found.environment("production").stack == "manuel-prod"


def test_every_wrong_setting_is_said_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        parse('regoin = "x"\nlease_seconds = -1\n[environments.qa]\nstack = "q"\n[smoke.f]\nmethod = "GET"\n', "file")

    for part in ("regoin", "lease_seconds", "environments.qa", "smoke.f"):
        assert part in caught.value.message


@pytest.mark.parametrize(
    "text", ["health_answers = 0", "poll_seconds = true", "region = 1", "[environments.dev]\ncanary = 1"]
)
def test_a_value_of_the_wrong_type_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        parse(text, "file")


def test_invalid_toml_names_the_file() -> None:
    with pytest.raises(SettingsError, match=r"^there is not valid TOML"):
        parse("a = ", "there")


def test_the_file_is_searched_upward_from_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('region = "eu-west-3"')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)

    found = load(None, below, lambda: pytest.fail("SSM was asked although there is a file"))

    assert (found.region, found.root) == ("eu-west-3", tmp_path.resolve())


def test_the_named_file_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / FILE_NAME).write_text('region = "eu-west-3"')
    named, other = tmp_path / "named.toml", tmp_path / "other.toml"
    named.write_text('region = "us-east-1"')
    other.write_text('region = "us-west-2"')
    monkeypatch.setenv("MANUEL_CONFIG", str(other))

    assert load(str(named), tmp_path, lambda: None).region == "us-east-1"
    assert load(None, tmp_path, lambda: None).region == "us-west-2"


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load(str(tmp_path / "none.toml"), tmp_path, lambda: None)


def test_without_a_file_ssm_counts_and_without_both_the_defaults() -> None:
    assert load(None, Path("/"), lambda: 'region = "eu-north-1"').region == "eu-north-1"
    assert load(None, Path("/"), lambda: None) == Settings()


def test_the_public_url_is_filled_in_and_may_be_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().public_url("a1", "v1", "eu-west-1") == "https://a1.execute-api.eu-west-1.amazonaws.com/v1"
    monkeypatch.setenv("MANUEL_API_URL", "http://proxy/{api_id}/{stage}/")
    assert Settings().public_url("a1", "v1", "eu-west-1") == "http://proxy/a1/v1"


def test_how_a_canary_is_judged_can_be_set_and_limits_only_to_what_the_judge_knows() -> None:
    found = parse('canary_interval_seconds = 30\ncanary_delay_seconds = 5\nlimits = "shared"', "x")

    assert (found.canary_interval_seconds, found.canary_delay_seconds, found.limits) == (30.0, 5.0, "shared")
    assert {LimitsMode(mode).value for mode in ("report", "shared", "absolute")} == set(LimitsMode)
    with pytest.raises(SettingsError, match="limits = 'strict'"):
        parse('limits = "strict"', "x")
