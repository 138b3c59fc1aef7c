"""Where a release runs."""

from __future__ import annotations

from dataclasses import dataclass

OTHER_NAMES = {"prod": "production"}


@dataclass(frozen=True)
class Environment:
    """One environment of the service.

    name: `dev`, `staging` or `production`; what people type and what the ledger keeps.
    short: the template's `Environment` value and the suffix of resource names (`prod` for production).
    parameters_file: name of its parameter file in the repository.
    canary: a new release is held at 0 % for `canary start`; otherwise it goes live as soon as it is proven.
    asks: a person confirms the change set (skipped by --yes).
    account_id: the account that it must be in; empty where any will do.
    rehearsed: only commits that were rehearsed are deployed.
    """

    name: str
    short: str
    stack: str
    parameters_file: str
    canary: bool = False
    asks: bool = False
    account_id: str = ""
    rehearsed: bool = False


def canonical(name: str) -> str:
    """The ledger's name of an environment: `prod` is `production`, everything else is itself."""
    return OTHER_NAMES.get(name, name)
