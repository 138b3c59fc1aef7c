"""Where an environment's API is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Location:
    """The API and its stage; remembered: from this machine's cache, and so perhaps not true any more."""

    rest_api_id: str
    api_stage: str
    remembered: bool = False
