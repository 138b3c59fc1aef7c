"""What the template tells a function by its environment, as one typed value; nothing else reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

FLAGS = {"true": True, "false": False}


class SettingsError(Exception):
    """The environment of the function lacks a variable or holds one that cannot be read."""


@dataclass(frozen=True)
class Settings:
    """The settings of a function.

    function: the function's own name, the `service` of its metrics and log lines.
    daily_quota, monthly_quota: how many operations a user may do in a UTC day and a UTC month.
    advanced_security: the template's EnableAdvancedSecurity.
    knowledge_base, data_source: ids in Bedrock, empty where the environment has none.
    """

    function: str
    release: str
    environment: str
    log_level: str
    usage_table: str
    manuals_bucket: str
    audio_bucket: str
    rate_limit_table: str
    text_model: str
    knowledge_base: str
    data_source: str
    daily_quota: int
    monthly_quota: int
    advanced_security: bool

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the settings; raises SettingsError with every fault at once."""
        source = os.environ if environment is None else environment
        faults: list[str] = []

        def text(name: str) -> str:
            value = source.get(name, "")
            if not value:
                faults.append(f"{name} is not set")
            return value

        def count(name: str) -> int:
            value = text(name)
            if value and not value.isdecimal():
                faults.append(f"{name} is {value!r}, not a whole number")
            return int(value) if value.isdecimal() else 0

        def flag(name: str) -> bool:
            value = text(name)
            if value and value not in FLAGS:
                faults.append(f"{name} is {value!r}, neither true nor false")
            return FLAGS.get(value, False)

        settings = cls(
            function=text("AWS_LAMBDA_FUNCTION_NAME"),
            release=text("MANUEL_RELEASE"),
            environment=text("MANUEL_ENVIRONMENT"),
            log_level=text("MANUEL_LOG_LEVEL"),
            usage_table=text("MANUEL_USAGE_TABLE"),
            manuals_bucket=text("MANUEL_MANUALS_BUCKET"),
            audio_bucket=text("MANUEL_AUDIO_BUCKET"),
            rate_limit_table=text("MANUEL_RATE_LIMIT_TABLE"),
            text_model=text("MANUEL_TEXT_MODEL"),
            knowledge_base=source.get("MANUEL_KNOWLEDGE_BASE", ""),
            data_source=source.get("MANUEL_DATA_SOURCE", ""),
            daily_quota=count("MANUEL_DAILY_QUOTA"),
            monthly_quota=count("MANUEL_MONTHLY_QUOTA"),
            advanced_security=flag("MANUEL_ADVANCED_SECURITY"),
        )
        if faults:
            raise SettingsError("; ".join(faults))
        return settings
