"""What a function published in CloudWatch's embedded metric format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


def published(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The last request's metrics, by name."""
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return {name: value[0] for name, value in found[-1].items() if isinstance(value, list)}
