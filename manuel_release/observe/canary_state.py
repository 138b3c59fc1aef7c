"""An environment as a change of its canary finds it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from manuel_release.model.canary_change import CanaryState
from manuel_release.model.canary_run import newest_run
from manuel_release.model.release import LIVE
from manuel_release.observe import service as parts
from manuel_release.observe.way_back import observe_way_back
from manuel_release.record.history import releases

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from manuel_release.aws import Aws
    from manuel_release.model.caller import Caller
    from manuel_release.model.environment import Environment
    from manuel_release.model.traffic import Alias
    from manuel_release.observe.service import Service
    from manuel_release.record.ledger import Ledger


def observe_canary_state(
    aws: Aws, ledger: Ledger, environment: Environment, service: Service, caller: Caller
) -> CanaryState:
    """Read what every decision about the canary needs, the release's own parts not yet; raises ReleaseError."""
    entries = ledger.entries(environment.name, service.api_stage)
    return CanaryState(
        environment=environment,
        caller=caller,
        stack=service.stack,
        stage=parts.observe_stage(aws, service),
        deploying=parts.observe_deploying(aws, service),
        releases=releases(entries),
        run=newest_run(entries),
        frozen=ledger.frozen(environment.name),
    )


def with_release(
    state: CanaryState,
    aws: Aws,
    ledger: Ledger,
    service: Service,
    release: str,
    *,
    prunable: Callable[[Iterable[Alias]], Collection[str]],
) -> CanaryState:
    """The state with the release's own parts: aliases, versions that no alias can split, quarantine, and the way back.

    `prunable`: the releases that the next pruning would delete, given the aliases `live`. Raises ReleaseError.
    """
    stable = state.stable
    names = tuple(dict.fromkeys((LIVE, release, *((stable,) if stable else ()))))
    functions = {name: _aliases(aws, name, names) for name in service.functions}
    known = state.release(release)
    digest = known.code_digest if known is not None else ""
    state = replace(
        state,
        functions=functions,
        quarantine=ledger.quarantined(digest) if digest else None,
        differing=_differing(aws, functions, release, stable or LIVE),
    )
    if stable is None:
        return state
    before = state.release(stable)
    moving = bool(state.deploying) or (state.run is not None and state.run.rolling_out)
    found = observe_way_back(
        aws,
        service,
        stable,
        caller=state.caller,
        functions=functions,
        versions=before.versions if before is not None else {},
        pruned_next=prunable(aliases[LIVE] for aliases in functions.values() if LIVE in aliases),
        live_moves=moving,
    )
    return replace(state, way_back=found)


def _aliases(aws: Aws, function: str, names: Sequence[str]) -> dict[str, Alias]:
    found = {name: aws.functions.alias(function, name) for name in names}
    return {name: alias for name, alias in found.items() if alias is not None}


def _differing(aws: Aws, functions: Mapping[str, Mapping[str, Alias]], release: str, stable: str) -> tuple[str, ...]:
    """Functions whose two versions have another execution role or dead-letter queue: no alias may split those.

    https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
    """
    found = []
    for name, aliases in functions.items():
        new, old = aliases.get(release), aliases.get(stable)
        if new is None or old is None or new.version == old.version:
            continue
        if aws.functions.role_and_queue(name, new.version) != aws.functions.role_and_queue(name, old.version):
            found.append(name)
    return tuple(sorted(found))
