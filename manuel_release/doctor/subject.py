"""One environment under examination: each part of it is read once, when the first check asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from manuel_release.errors import ReleaseError
from manuel_release.model.deploy import DeployState
from manuel_release.model.release import LIVE
from manuel_release.observe import service as parts
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from manuel_release.app import App
    from manuel_release.model.environment import Environment
    from manuel_release.model.release import Release
    from manuel_release.model.stack import Stack
    from manuel_release.model.traffic import Alias
    from manuel_release.observe.service import Service


@dataclass(frozen=True)
class Subject:
    """An environment in an account that can be asked; each property raises what keeps it from being read."""

    app: App
    environment: Environment

    @cached_property
    def stack(self) -> Stack | None:
        """The environment's stack."""
        return self.app.aws.stacks.describe(self.environment.stack)

    @cached_property
    def service(self) -> Service | None:
        """The service in the stack; None while it holds none."""
        return parts.observe_service(self.app.aws, self.environment.stack) if self.stack is not None else None

    @cached_property
    def aliases(self) -> dict[str, dict[str, Alias]]:
        """Function name -> alias name -> alias."""
        functions = self.service.functions if self.service is not None else ()
        return {name: {alias.name: alias for alias in self.app.aws.functions.aliases(name)} for name in functions}

    @cached_property
    def releases(self) -> tuple[Release, ...] | None:
        """The releases of the API stage, newest first; None when the ledger cannot be read (its check says why)."""
        stage = self.service.api_stage if self.service is not None else None
        try:
            return releases(self.app.ledger.entries(self.environment.name, stage))
        except ReleaseError:
            return None

    @cached_property
    def deploying(self) -> tuple[str, ...]:
        """Ids of the CodeDeploy deployments that are under way."""
        return parts.observe_deploying(self.app.aws, self.service) if self.service is not None else ()

    @cached_property
    def state(self) -> DeployState:
        """What the guards of a deploy look at."""
        live = {name: known[LIVE] for name, known in self.aliases.items() if LIVE in known}
        return DeployState(
            environment=self.environment,
            api_stage=self.service.api_stage if self.service is not None else "",
            caller=self.app.caller,
            stack=self.stack,
            live=live,
            deploying=self.deploying,
            releases=self.releases or (),
        )
