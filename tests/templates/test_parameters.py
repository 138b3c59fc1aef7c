"""The parameter files: the specification's values, and nothing that the template would refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from templates.conftest import ROOT

from manuel_release.artifact import parameters

COMMON = {"EnableXRayTracing": "true", "EnableAdvancedSecurity": "true", "LambdaMemorySize": "512"}
STAGING = {
    **COMMON,
    "Environment": "staging",
    "ApiVersionStage": "staging",
    "DailyQuotaLimit": "100",
    "AlertEmail": "staging-alerts@company.com",
}
SPECIFIED = {
    "parameters-dev.json": {
        "Environment": "dev",
        "ApiVersionStage": "dev",
        "LambdaMemorySize": "256",
        "EnableXRayTracing": "false",
        "EnableAdvancedSecurity": "false",
        "DailyQuotaLimit": "50",
        "AlertEmail": "",
    },
    "parameters-staging.json": STAGING,
    "parameters-production.json": {
        **COMMON,
        "Environment": "prod",
        "ApiVersionStage": "v1",
        "DailyQuotaLimit": "200",
        "AlertEmail": "prod-alerts@company.com",
        "CanaryTrafficPercent": "0",
    },
    "parameters-claude4.json": STAGING,
}


def read(name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((ROOT / name).read_text())
    return found


def test_these_are_all_the_files() -> None:
    assert {path.name for path in ROOT.glob("parameters-*.json")} == set(SPECIFIED)


@pytest.mark.parametrize("name", SPECIFIED)
def test_the_file_has_the_specified_values(name: str) -> None:
    assert SPECIFIED[name].items() <= read(name).items()


@pytest.mark.parametrize("name", SPECIFIED)
def test_the_file_is_flat_and_all_text(name: str) -> None:
    assert all(isinstance(value, str) for value in read(name).values())


@pytest.mark.parametrize("name", SPECIFIED)
def test_the_template_accepts_the_file(name: str, service: dict[str, Any]) -> None:
    assert list(parameters.complaints(service, read(name))) == []


@pytest.mark.parametrize("name", SPECIFIED)
def test_the_release_is_not_in_the_file(name: str) -> None:
    assert not {"ReleaseId", "CanaryRelease"} & read(name).keys()


def test_the_claude_4_variant_is_staging_with_another_model() -> None:
    staging, variant = read("parameters-staging.json"), read("parameters-claude4.json")

    assert {k: v for k, v in variant.items() if staging.get(k) != v}.keys() == {"TextModelId"}
    assert "claude-sonnet-4" in variant["TextModelId"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ReleaseId", "r-0"),
        ("ReleaseId", "13"),
        ("ReleaseId", "r-1x"),
        ("CanaryRelease", "live"),
        ("CanaryTrafficPercent", "101"),
        ("ApiVersionStage", "V1"),
        ("ApiVersionStage", "v1/x"),
        ("LambdaMemorySize", "127"),
        ("LambdaRuntime", "python3.10"),
        ("EnableXRayTracing", "yes"),
        ("DailyQuotaLimit", "0"),
        ("AlertEmail", "nobody"),
        ("TextModelId", "Claude 4"),
        ("KnowledgeBaseId", "short"),
        ("DataSourceId", "ABCDEFGHI-"),
        ("DomainName", "https://api.example.com"),
        ("DomainName", "localhost"),
        ("CertificateArn", "arn:aws:iam::123456789012:server-certificate/x"),
        ("Environment", "production"),
    ],
)
def test_the_template_refuses_what_cannot_be(name: str, value: str, service: dict[str, Any]) -> None:
    wrong = parameters.complaints(service, {**read("parameters-dev.json"), name: value})

    assert [text for text in wrong if text.startswith(name)], wrong


@pytest.mark.parametrize(("name", "value"), [("ReleaseId", "r-1"), ("ReleaseId", "r-130"), ("CanaryRelease", "")])
def test_the_template_accepts_releases(name: str, value: str, service: dict[str, Any]) -> None:
    assert list(parameters.complaints(service, {**read("parameters-dev.json"), name: value})) == []
