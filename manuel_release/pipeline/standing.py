"""Where a build's release stands in an environment, and what the pipeline's next step has to do about it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from manuel_release.model.release import ReleaseState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from manuel_release.model.release import Release


class Need(Enum):
    """What there is to do for a release."""

    SHARE = "a first share of the traffic"
    JUDGEMENT = "observation and its next share"
    NOTHING = "nothing"
    A_PERSON = "a person"


@dataclass(frozen=True)
class Standing:
    """A build's release, what it needs, and why in one sentence without its full stop; serves: whether it has 100 %."""

    release: str
    need: Need
    why: str
    serves: bool = False


def standing(releases: Iterable[Release], api_stage: str, code_digest: str) -> Standing | None:
    """How the newest release of a build stands; None when the build is not deployed there.

    Args:
        releases: of the environment, newest first.
        api_stage: of its API.
        code_digest: of the build.
    """
    found = next((one for one in releases if (one.api_stage, one.code_digest) == (api_stage, code_digest)), None)
    if found is None:
        return None
    name = found.name
    match found.state:
        case ReleaseState.STAGED:
            return Standing(name, Need.SHARE, f"{name} waits at 0 %")
        case ReleaseState.CANARY | ReleaseState.ROLLING_OUT:
            return Standing(name, Need.JUDGEMENT, f"{name} has a share of the traffic")
        case ReleaseState.LIVE if found.steps:
            return Standing(name, Need.JUDGEMENT, f"{name} holds 100 %", serves=True)
        case ReleaseState.LIVE:
            why = f"{name} serves since it was deployed, as the first release does"
            return Standing(name, Need.NOTHING, why, serves=True)
        case state:
            return Standing(name, Need.A_PERSON, f"{name} is {state.value.replace('_', ' ')}")
