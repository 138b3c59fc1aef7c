"""A world that is not settled is called that: each part of it is spoilt once, and the sentence about it is expected."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from crash.consistency import Expected, complaints, deadly
from crash.small_service import ENVIRONMENT, STAGE
from crash.states import LIVE, STAGED, code_digest

from manuel_release.model.entry import Entry, EntryKind, Incident, Quarantine
from manuel_release.record.ledger import entry_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from crash.crash_world import CrashWorld

pytestmark = pytest.mark.emulator

WAITING = Expected("r-3", staged="r-4")


def _stage(*patches: tuple[str, str, str]) -> Callable[[CrashWorld], object]:
    return lambda service: service.world.patch(service.api, *patches)


def _variable(name: str, value: str) -> Callable[[CrashWorld], object]:
    return _stage(("replace", f"/variables/{name}", value))


def _alias(name: str, release: str, number: int = 1) -> Callable[[CrashWorld], object]:
    """An alias of the `number`-th function is on another release's version."""

    def spoil(service: CrashWorld) -> None:
        function = service.names[number]
        version = service.versions[release][function]
        service.world.functions.update_alias(FunctionName=function, Name=name, FunctionVersion=version)

    return spoil


def _without(name: str) -> Callable[[CrashWorld], object]:
    return lambda service: service.world.functions.delete_alias(FunctionName=service.names[1], Name=name)


def _entry(kind: EntryKind, release: str, **details: Any) -> Callable[[CrashWorld], object]:
    def spoil(service: CrashWorld) -> None:
        now = datetime.now(UTC)
        service.ledger.append(Entry(entry_id(now), ENVIRONMENT, STAGE, now, kind, release, "test", "", details))

    return spoil


def _quarantine(service: CrashWorld) -> None:
    now = datetime.now(UTC)
    service.ledger.quarantine(Quarantine(code_digest("r-3"), "r-3", ENVIRONMENT, "test", "", now))


def _incident(service: CrashWorld) -> None:
    now = datetime.now(UTC)
    service.ledger.put_incident(Incident("one", ENVIRONMENT, STAGE, "r-4", "r-3", "person", "", "test", now))


HALF = (
    ("replace", "/canarySettings/percentTraffic", "0"),
    ("replace", "/canarySettings/stageVariableOverrides/release", "r-4"),
)
SPOILT: tuple[tuple[str, Callable[[CrashWorld], object], str], ...] = (
    ("another release answers", _alias("live", "r-4", number=0), "r-4 answers with 200"),
    ("the stage is pinned", _variable("release", "r-3"), "the stage is pinned to r-3"),
    ("it names another one", _variable("current", "r-2"), "the stage says that r-2 holds 100 %"),
    ("it does not name what is new", _variable("candidate", "none"), "the stage does not say that r-4 is new"),
    ("half a canary is left", _stage(*HALF), "the stage has the canary ('r-4', 0.0)"),
    ("one function is elsewhere", _alias("live", "r-4"), "is on version"),
    ("an alias was moved", _alias("r-2", "r-1"), "is on a version of r-1"),
    ("an alias is missing", _without("r-4"), "not every function has the alias r-4"),
    ("a deploy is open", _entry(EntryKind.DEPLOY_STARTED, "r-5", digest="five"), "an open deploy of r-5"),
    ("a rollback is open", _entry(EntryKind.ROLLBACK_STARTED, "r-4", to="r-3"), "an open rollback of r-4"),
    ("a rollout is open", _entry(EntryKind.ROLLOUT_STARTED, "r-4", stable="r-3"), "r-4 is rolling_out"),
    ("two are the same", _entry(EntryKind.RELEASE_STAGED, "r-4", digest="digest-r-3"), "2 releases have the digest"),
    ("good code is refused", _quarantine, "is in quarantine, and nothing should be"),
    ("an incident is open", _incident, "there are 1 incidents"),
)


def test_a_settled_world_has_nothing_to_complain_of(service) -> None:
    service.reset(STAGED)

    assert complaints(service, WAITING, canary=True) == []
    assert deadly(service, frozenset({"r-3"})) == []


@pytest.mark.parametrize(("spoil", "sentence"), [pytest.param(*one[1:], id=one[0]) for one in SPOILT])
def test_a_spoilt_world_is_told(service, spoil: Callable[[CrashWorld], object], sentence: str) -> None:
    service.reset(STAGED)
    spoil(service)

    assert sentence in "\n".join(complaints(service, WAITING, canary=True))


def test_an_answer_of_a_release_that_passed_no_gate_is_told(service) -> None:
    service.reset(LIVE)

    assert deadly(service, frozenset({"r-3"})) == ["after the death r-4 answers with 200"]
