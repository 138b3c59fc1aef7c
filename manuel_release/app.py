"""What every command receives: settings, AWS, the ledger, the screen and the clock."""

from __future__ import annotations

import getpass
import os
import socket
import time
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from manuel_release import settings as settings_module
from manuel_release.aws import Aws
from manuel_release.aws.session import Session
from manuel_release.errors import ReleaseError, SettingsError, UsageError
from manuel_release.observe.location import Memory
from manuel_release.record.ledger import Ledger

if TYPE_CHECKING:
    from typing import Self

    from manuel_release.model.caller import Caller
    from manuel_release.model.environment import Environment
    from manuel_release.model.options import GlobalOptions
    from manuel_release.settings import Settings
    from manuel_release.view.console import Screen

_SETTINGS, _LEDGER = "settings", "ledger"
"""Names under which this machine remembers the settings in SSM and the ledger's table."""

NO_BOOTSTRAP_HINT = "Run `manuel-release bootstrap` once in this account and region."


class App:
    """Everything a command needs, made when it is first asked for."""

    def __init__(self, options: GlobalOptions, screen: Screen) -> None:
        """Two things may be changed before anything is asked for.

        hurried: what this machine remembers is not read again. files: whether a settings file is looked for; if not,
        those in SSM count, whatever lies around where this runs.
        """
        self.options = options
        self.screen = screen
        self.hurried = False
        self.files = True
        self._calls_for_settings = 0

    @classmethod
    def build(cls, options: GlobalOptions, screen: Screen) -> Self:
        """The App for these options."""
        return cls(options, screen)

    @cached_property
    def settings(self) -> Settings:
        """The settings that count here; raises SettingsError."""
        return settings_module.load(self.options.config, Path.cwd() if self.files else None, self._settings_in_ssm)

    def _settings_in_ssm(self) -> str | None:
        if self.hurried and _SETTINGS in self.memory:
            known: str | None = self.memory.get(_SETTINGS)
            return known
        with Aws(Session(self.options.profile, self.options.region, settings_module.Settings().region)) as aws:
            try:
                text = aws.parameters.get(settings_module.SSM_NAME)
            except ReleaseError:
                return None  # the defaults count; a command that needs AWS meets the same error and says it
            finally:
                self._calls_for_settings += aws.session.count
        self.memory.keep(_SETTINGS, text)
        return text

    @cached_property
    def memory(self) -> Memory:
        """What this machine remembers of the account."""
        return Memory(self.options.profile, self.options.region)

    @property
    def calls(self) -> int:
        """How many API calls have been answered, that for the settings included."""
        return self.aws.session.count + self._calls_for_settings

    @cached_property
    def aws(self) -> Aws:
        """AWS with the credentials and region of the options."""
        return Aws(Session(self.options.profile, self.options.region, self.settings.region))

    @cached_property
    def caller(self) -> Caller:
        """Who is asking; raises AccessError."""
        return self.aws.identity.caller()

    @cached_property
    def holder(self) -> str:
        """The person as leases and the ledger name them: AWS principal, then user and machine."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):
            user = f"uid {os.getuid()}"
        return f"{self.caller.name} ({user}@{socket.gethostname()})"

    @property
    def environments(self) -> tuple[Environment, ...]:
        """All environments, or the one that --env names."""
        if self.options.environment is None:
            return self.settings.environments
        return (self.settings.environment(self.options.environment),)

    @property
    def environment(self) -> Environment:
        """The environment that --env or MANUEL_ENV names; raises UsageError when neither does."""
        name = self.options.environment or os.environ.get("MANUEL_ENV")
        if not name:
            known = ", ".join(e.name for e in self.settings.environments)
            raise UsageError("no environment is named", hint=f"Add --env ({known}), or set MANUEL_ENV.")
        return self.settings.environment(name)

    @property
    def root(self) -> Path:
        """The repository of the service: the settings file's folder, else the working directory."""
        return self.settings.root or Path.cwd()

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of this account and region; raises SettingsError while there is none."""
        name = self.memory.get(_LEDGER) if self.hurried else None
        if not isinstance(name, str):
            name = self._operations(settings_module.LEDGER_PARAMETER, "ledger")
            self.memory.keep(_LEDGER, name)
        return Ledger(self.aws.table(name), self.now)

    @cached_property
    def artifact_bucket(self) -> str:
        """The bucket that builds are uploaded to; raises SettingsError while there is none."""
        return self._operations(settings_module.ARTIFACTS_PARAMETER, "artifact bucket")

    def _operations(self, parameter: str, what: str) -> str:
        value = self.aws.parameters.get(parameter)
        if value is None:
            raise SettingsError(
                f"this account has no {what} in {self.aws.session.region}: SSM {parameter} does not exist",
                hint=self._no_bootstrap(),
            )
        return value

    def _no_bootstrap(self) -> str:
        """What to do where nothing was bootstrapped: it may be the wrong region, before it is a new one."""
        here, usual = self.aws.session.region, self.settings.region
        if here == usual:
            return NO_BOOTSTRAP_HINT
        return (
            f"The settings ({self.settings.source}) name {usual}: add `--region {usual}`, or unset AWS_REGION. If "
            f"releases belong to {here} too, run `manuel-release bootstrap --region {here}` once."
        )

    def now(self) -> datetime:
        """This moment, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Pause."""
        time.sleep(seconds)
