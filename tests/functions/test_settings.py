"""What the environment tells a function."""

from __future__ import annotations

import pytest
from manuel.settings import Settings, SettingsError


def test_a_complete_environment_is_read_into_types(environment: dict[str, str]) -> None:
    settings = Settings.read()

    assert (settings.release, settings.environment) == ("r-7", "dev")
    assert (settings.daily_quota, settings.monthly_quota, settings.advanced_security) == (3, 5, False)


def test_every_fault_is_told_at_once(environment: dict[str, str]) -> None:
    given = {**environment, "MANUEL_DAILY_QUOTA": "many", "MANUEL_ADVANCED_SECURITY": "perhaps"}
    del given["MANUEL_RELEASE"]

    with pytest.raises(SettingsError) as raised:
        Settings.read(given)

    assert str(raised.value) == (
        "MANUEL_RELEASE is not set; MANUEL_DAILY_QUOTA is 'many', not a whole number; "
        "MANUEL_ADVANCED_SECURITY is 'perhaps', neither true nor false"
    )
