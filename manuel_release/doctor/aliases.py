"""Aliases: every function has `live` and the releases that can be gone back to, and each is where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.doctor.results import counted, error, ok, warning
from manuel_release.model.release import LIVE, release_number
from manuel_release.observe.status import differences
from manuel_release.plan import guards

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from manuel_release.doctor.subject import Subject
    from manuel_release.model.check import Check
    from manuel_release.model.deploy import DeployState
    from manuel_release.model.release import Release
    from manuel_release.model.traffic import Alias

TITLE = "Aliases"


def aliases(subject: Subject) -> Iterator[Check]:
    """Missing, moved and weighted aliases, one result for each kind of fault."""
    if subject.service is None:
        return
    state = subject.state
    found = [
        *_without_live(subject.aliases, state),
        *_without_release(subject.aliases, state),
        *_moved(subject.aliases, state.releases),
        *_weighted(subject.aliases, state),
        *_elsewhere(state),
    ]
    if found:
        yield from found
        return
    functions = f"{counted(len(state.live), 'function')} {'has' if len(state.live) == 1 else 'have'} `live`"
    kept = f" and {', '.join(state.retained)}" if state.retained else ""
    unknown = "; the ledger does not tell which releases they should have" if subject.releases is None else ""
    yield ok(TITLE, f"{functions}{kept}, no weights are left{unknown}")


def _versions(name: str, state: DeployState) -> Mapping[str, str]:
    return next((one.versions for one in state.releases if one.name == name), {})


def _create(function: str, alias: str, version: str) -> str:
    return (
        f"aws lambda create-alias --function-name {function} --name {alias} --function-version {version or 'VERSION'}"
    )


def _without_live(known: Mapping[str, Mapping[str, Alias]], state: DeployState) -> Iterator[Check]:
    missing = [name for name in known if LIVE not in known[name]]
    if missing:
        serving = state.live_release
        version = serving.versions.get(missing[0], "") if serving is not None else ""
        yield error(
            TITLE,
            f"`live` is missing on {', '.join(missing)}: the API answers 500 for them",
            f"Put it back with `{_create(missing[0], LIVE, version)}`.",
        )


def _without_release(known: Mapping[str, Mapping[str, Alias]], state: DeployState) -> Iterator[Check]:
    lines, command = [], ""
    for release in state.retained:
        missing = [name for name in known if release not in known[name]]
        if missing:
            lines.append(f"{release} is missing on {', '.join(missing)}: a rollback to it would answer 500 there")
            command = command or _create(missing[0], release, _versions(release, state).get(missing[0], ""))
    if lines:
        yield warning(TITLE, "\n".join(lines), f"Put it back with `{command}`.")


def _moved(known: Mapping[str, Mapping[str, Alias]], releases: Iterable[Release]) -> Iterator[Check]:
    """A release's alias never moves: the ledger says on which version each was made."""
    lines = [
        f"{release.name} of {function} names version {known[function][release.name].version}, it was made on {version}"
        for release in releases
        for function, version in sorted(release.versions.items())
        if release.name in known.get(function, {}) and known[function][release.name].version != version
    ]
    if lines:
        yield error(TITLE, "\n".join(lines), "Somebody moved it by hand; move it back with `aws lambda update-alias`.")


def _weighted(known: Mapping[str, Mapping[str, Alias]], state: DeployState) -> Iterator[Check]:
    refusal = guards.alias_weighted(state)
    if refusal is not None:
        yield error(TITLE, refusal.reason, refusal.hint)
    lines = [
        f"{name} of {function} splits its traffic, and a release's alias never does"
        for function in known
        for name, alias in known[function].items()
        if alias.weights and release_number(name) is not None
    ]
    if lines:
        yield error(TITLE, "\n".join(lines), "Clear it with `aws lambda update-alias --routing-config`.")


def _elsewhere(state: DeployState) -> Iterator[Check]:
    """`live` on another version than the release that holds 100 %, and nothing is moving it."""
    serving = state.live_release
    if serving is None or state.deploying:
        return
    lines = [
        f"`live` of {one.function} is on version {one.version}, {serving.name} is version {one.expected}"
        for one in differences(tuple(state.releases), state.live, serving.name)
    ]
    if lines:
        yield warning(
            TITLE,
            "\n".join(lines),
            f"`manuel-release status --env {state.environment.name}` shows what serves; deploying again puts it right.",
        )
