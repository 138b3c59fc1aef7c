"""Whether a rollback would find what it needs, asked before every step that makes one more expensive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.errors import ReleaseError
from manuel_release.model.canary_change import Answer, WayBack, WayBackCheck
from manuel_release.model.release import LIVE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from manuel_release.aws import Aws
    from manuel_release.model.caller import Caller
    from manuel_release.model.traffic import Alias
    from manuel_release.observe.service import Service

NEEDED: tuple[tuple[str, str], ...] = (
    ("apigateway:GET", "stage"),
    ("apigateway:PATCH", "stage"),
    ("codedeploy:StopDeployment", "groups"),
    ("lambda:UpdateAlias", "functions"),
)
"""Actions that a rollback takes, and on what."""


def observe_way_back(
    aws: Aws,
    service: Service,
    stable: str,
    *,
    caller: Caller,
    functions: Mapping[str, Mapping[str, Alias]],
    versions: Mapping[str, str],
    pruned_next: Collection[str] = (),
    live_moves: bool = False,
) -> WayBack:
    """What a rollback to `stable` would find; only reads, and a read that is not allowed is answered with unknown.

    Args:
        aws: where to look.
        service: whose release it is.
        stable: the release that a rollback would go to.
        caller: who would roll back.
        functions: function name -> its aliases by name.
        versions: function name -> the version that the ledger knows for `stable`; empty when it does not.
        pruned_next: releases that the next pruning would delete.
        live_moves: whether CodeDeploy is moving `live`, which then may be anywhere.
    """
    checks = [
        _aliases(stable, functions, versions),
        *([] if live_moves else [_live(stable, functions)]),
        _roles(aws, stable, functions),
        *_permissions(aws, service, caller),
        _kept(stable, pruned_next),
    ]
    return WayBack(stable, tuple(checks))


def _check(title: str, wrong: Iterable[str], fine: str) -> WayBackCheck:
    said = "; ".join(wrong)
    return WayBackCheck(title, Answer.RED if said else Answer.GREEN, said or fine)


def _aliases(stable: str, functions: Mapping[str, Mapping[str, Alias]], versions: Mapping[str, str]) -> WayBackCheck:
    wrong = []
    for name, aliases in sorted(functions.items()):
        alias, wanted = aliases.get(stable), versions.get(name)
        if alias is None:
            wrong.append(f"{name} has no alias {stable}")
        elif wanted is not None and alias.version != wanted:
            wrong.append(f"alias {stable} of {name} names version {alias.version}, the ledger says {wanted}")
    return _check("aliases", wrong, f"{stable} has its alias on {len(functions)} functions")


def _live(stable: str, functions: Mapping[str, Mapping[str, Alias]]) -> WayBackCheck:
    wrong = []
    for name, aliases in sorted(functions.items()):
        live, alias = aliases.get(LIVE), aliases.get(stable)
        if live is not None and alias is not None and live.version != alias.version:
            wrong.append(f"`live` of {name} is version {live.version}, and {stable} is version {alias.version}")
    return _check("live", wrong, f"`live` is {stable} everywhere")


def _roles(aws: Aws, stable: str, functions: Mapping[str, Mapping[str, Alias]]) -> WayBackCheck:
    """A version keeps its execution role's name; without the role it cannot run."""
    title, wrong, known = "roles", [], dict[str, bool]()
    try:
        for name, aliases in sorted(functions.items()):
            if stable not in aliases:
                continue
            role, _ = aws.functions.role_and_queue(name, aliases[stable].version)
            if role not in known:
                known[role] = aws.permissions.role_exists(role)
            if not known[role]:
                wrong.append(f"{stable} of {name} runs as {role}, which does not exist any more")
    except ReleaseError as error:
        return WayBackCheck(title, Answer.UNKNOWN, error.message)
    return _check(title, wrong, f"the execution roles of {stable} exist")


def _permissions(aws: Aws, service: Service, caller: Caller) -> list[WayBackCheck]:
    partition = caller.arn.split(":")[1] if caller.arn.count(":") > 1 else "aws"
    here = f"{caller.region}:{caller.account_id}"
    resources = {
        "stage": [
            f"arn:{partition}:apigateway:{caller.region}::/restapis/{service.rest_api_id}/stages/{service.api_stage}"
        ],
        "groups": [
            f"arn:{partition}:codedeploy:{here}:deploymentgroup:{service.application}/{name}"
            for name in service.functions
        ],
        "functions": [f"arn:{partition}:lambda:{here}:function:{name}" for name in service.functions],
    }
    found: list[WayBackCheck] = []
    for action, what in NEEDED:
        try:
            denied = aws.permissions.denied(caller.arn, action, resources[what])
        except ReleaseError as error:
            return [*found, WayBackCheck("permissions", Answer.UNKNOWN, error.message)]
        wrong = [f"{caller.name} may not {action} on {one}" for one in denied]
        found.append(_check(action, wrong, f"{caller.name} may {action}"))
    return found


def _kept(stable: str, pruned_next: Collection[str]) -> WayBackCheck:
    wrong = [f"{stable} would be deleted by the next pruning"] if stable in pruned_next else []
    return _check("retention", wrong, f"{stable} is kept")
