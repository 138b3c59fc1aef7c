"""What every command accepts, as given on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Output(StrEnum):
    """The form of the answer on stdout."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True)
class GlobalOptions:
    """The shared options of one invocation; the innermost given wins.

    environment: its canonical name (`production`, also for `prod`); None when neither --env nor MANUEL_ENV names one.
    reason: why, kept in the ledger.
    timeout: seconds to wait before a command ends as still pending; None leaves it to the settings.
    config: path of a settings file; None searches for one.
    """

    environment: str | None = None
    region: str | None = None
    profile: str | None = None
    output: Output = Output.TABLE
    yes: bool = False
    dry_run: bool = False
    reason: str = ""
    timeout: float | None = None
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    config: str | None = None
