"""Whose canary is observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.errors import ReleaseError
from manuel_release.observe import service as parts

if TYPE_CHECKING:
    from manuel_release.aws import Aws
    from manuel_release.model.environment import Environment
    from manuel_release.model.traffic import ApiStage
    from manuel_release.observe.service import Service


@dataclass(frozen=True)
class Subject:
    """Whose canary it is: the environment, its service and stage, and the release that serves everybody else."""

    environment: Environment
    service: Service
    stage: ApiStage
    stable_release: str

    @property
    def release(self) -> str:
        """The release that the canary's requests go to."""
        canary = self.stage.canary
        return (canary.release if canary is not None else None) or ""


def find_canary(aws: Aws, environment: Environment, live_release: str | None = None) -> Subject:
    """The environment's canary as its stage has it; `live_release` is what the ledger knows to hold 100 %.

    Raises ReleaseError when there is none, or nothing to compare it with.
    """
    service = parts.service_of(aws, environment.stack)
    stage = parts.observe_stage(aws, service)
    canary = stage.canary if stage is not None else None
    where = f"{environment.name} ({service.api_stage})"
    if stage is None or canary is None or canary.percent == 0:
        raise ReleaseError(
            f"{where} has no canary: all requests get the same release",
            hint=f"`manuel-release status --env {environment.name}` shows what runs there.",
        )
    if canary.release is None:
        raise ReleaseError(
            f"the canary of {where} names no release: both sides run the same, and there is nothing to compare",
            hint=f"`manuel-release canary abort --env {environment.name}` ends it.",
        )
    stable = stage.pinned or stage.current or live_release
    if stable is None:
        raise ReleaseError(
            f"which release serves {where} outside the canary is not known: neither the stage nor the ledger says it",
            hint=f"Run `manuel-release deploy --env {environment.name}` once, or set the stage variable `current`.",
        )
    return Subject(environment, service, stage, stable)
