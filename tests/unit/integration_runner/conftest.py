"""What the tests of the suites' own machinery share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from integration.suites.config import Config
from integration.suites.contract import Contract
from tests_root import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract.read(ROOT / "template.yaml")


@pytest.fixture
def config() -> Config:
    return Config(
        environment="staging",
        profile="full",
        url="https://api.example.com/staging",
        user_pool_id="eu-west-1_POOL",
        client_id="client",
        advanced_security=True,
        accounts=(("a@example.com", "very-secret"),),
    )


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes a configuration file; None takes a key out."""

    def write(**changed: Any) -> Path:
        values = {"environment": "dev", "profile": "basic", **changed}
        path = tmp_path / "test_config_dev.json"
        path.write_text(json.dumps({name: value for name, value in values.items() if value is not None}))
        return path

    return write
