"""The guard's decision matrix; pure.

Rows follow the specification's "Rollback Decision Matrix" and "Automatic Rollback Triggers", with one addition: when
the release that serves everybody else breaks the same limit in the same window, it is an incident and not the canary's
fault. Every cell is one function from the situation to an action; docs/guard.md shows the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from manuel_release.model.alarm import Signal
from manuel_release.model.decision import Action, Decision, Happening, Occurrence, Phase, Situation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Cell = Callable[[Occurrence, Situation], Decision]

_ONLY_TOLD = frozenset({Signal.CLIENT_ERROR_RATE})
"""4xx are the callers' as often as the release's: the verdict compares both arms, and one arm alone proves nothing."""

_OF_BOTH_ARMS = frozenset({Signal.THROTTLES})
"""Alarms on what both arms share: the stable release's says the same by its nature, and excuses nothing."""


def decide(occurrence: Occurrence, situation: Situation) -> Decision:
    """What to do about something that happened."""
    return MATRIX[occurrence.happening][situation.exposure.phase](occurrence, situation)


def _always(action: Action, why: str) -> Cell:
    def cell(occurrence: Occurrence, situation: Situation) -> Decision:
        release = situation.exposure.release or occurrence.release or "no release"
        return Decision(action, why.format(release=release, name=occurrence.name, text=occurrence.text))

    return cell


def _canary_alarm(occurrence: Occurrence, situation: Situation) -> Decision:
    """An alarm while another release serves everybody else."""
    release, name = situation.exposure.release, occurrence.name
    if occurrence.signal in _ONLY_TOLD:
        return Decision(Action.INVESTIGATE, f"{name} rings: callers are refused, which {release} may or may not cause")
    if situation.limits == "report":
        return Decision(Action.INVESTIGATE, f"{name} rings, and the setting `limits` has limits only reported")
    excused = situation.limits == "shared" and occurrence.signal not in _OF_BOTH_ARMS
    if excused and situation.stable_rings:
        return Decision(
            Action.ESCALATE,
            f"{name} rings, and so does the same alarm of the release that serves everybody else: an incident that "
            f"{release} is not blamed for",
        )
    return _bad(occurrence, situation)


def _unproven_alarm(occurrence: Occurrence, situation: Situation) -> Decision:
    """An alarm while the release has all requests: there is nothing to compare with."""
    if occurrence.signal in _ONLY_TOLD or situation.limits == "report":
        return _canary_alarm(occurrence, situation)
    return _bad(occurrence, situation)


def _bad(occurrence: Occurrence, situation: Situation) -> Decision:
    said = f": {occurrence.text}" if occurrence.text else ""
    return Decision(Action.ROLL_BACK, f"{occurrence.name} rings while {situation.exposure.release} is on trial{said}")


def _observer_died(occurrence: Occurrence, situation: Situation) -> Decision:
    """The job that observed the canary is gone: unless it had said before that people decide now."""
    if situation.handed_over:
        return Decision(Action.KEEP_WATCHING, f"{occurrence.name} ended, and had handed over until {_until(situation)}")
    return Decision(Action.ROLL_BACK, f"{occurrence.name}, which observed {situation.exposure.release}, did not finish")


def _unobserved(_occurrence: Occurrence, situation: Situation) -> Decision:
    late = _late(situation)
    return late or Decision(
        Action.ROLL_BACK, f"nobody has observed {situation.exposure.release} since {_until(situation)}"
    )


def _unobserved_proof(_occurrence: Occurrence, situation: Situation) -> Decision:
    late = _late(situation)
    return late or Decision(
        Action.INVESTIGATE,
        f"{situation.exposure.release} has all requests and nobody has observed it since {_until(situation)}; the "
        "guard still takes it back when one of its alarms rings",
    )


def _late(situation: Situation) -> Decision | None:
    """Why the time is not over yet; None when it is."""
    until = situation.looked_after_until
    if until is None:
        return Decision(Action.KEEP_WATCHING, "the ledger does not know who observes it: it was moved by other hands")
    if until >= situation.now:
        return Decision(Action.KEEP_WATCHING, f"it is looked after until {until:%H:%M:%S} UTC")
    if situation.lease:
        return Decision(Action.KEEP_WATCHING, f"{situation.lease} is changing it at this moment")
    return None


def _until(situation: Situation) -> str:
    until = situation.looked_after_until
    return f"{until:%Y-%m-%d %H:%M:%S} UTC" if until is not None else "its start"


_FOUND_BAD = _always(Action.ROLL_BACK, "the verdict on {release} is bad: {text}")
_WATCH_OLD = _always(Action.KEEP_WATCHING, "{release} has no traffic that could be taken away")
_WATCH_PROVEN = _always(Action.KEEP_WATCHING, "{release} has proven itself")

MATRIX: Mapping[Happening, Mapping[Phase, Cell]] = {
    Happening.ALARM: {
        Phase.NONE: _WATCH_OLD,
        Phase.CANARY: _canary_alarm,
        Phase.ROLLING_OUT: _canary_alarm,
        Phase.UNPROVEN: _unproven_alarm,
        Phase.PROVEN: _always(Action.ESCALATE, "{name} rings, and {release} has proven itself before: {text}"),
    },
    Happening.ROLLOUT_FAILED: {
        Phase.NONE: _WATCH_OLD,
        Phase.CANARY: _always(Action.INVESTIGATE, "{name} failed, and {release} is not being rolled out"),
        Phase.ROLLING_OUT: _always(Action.ROLL_BACK, "{name} failed while {release} was rolled out"),
        Phase.UNPROVEN: _always(Action.INVESTIGATE, "{name} failed although {release} has all requests"),
        Phase.PROVEN: _WATCH_PROVEN,
    },
    Happening.APPROVAL_REFUSED: {
        Phase.NONE: _WATCH_OLD,
        Phase.CANARY: _always(Action.ROLL_BACK, "{name} did not approve {release}: {text}"),
        Phase.ROLLING_OUT: _always(Action.ROLL_BACK, "{name} did not approve {release}: {text}"),
        Phase.UNPROVEN: _always(Action.ROLL_BACK, "{name} did not approve {release}: {text}"),
        Phase.PROVEN: _WATCH_PROVEN,
    },
    Happening.OBSERVER_DIED: {
        Phase.NONE: _WATCH_OLD,
        Phase.CANARY: _observer_died,
        Phase.ROLLING_OUT: _always(Action.KEEP_WATCHING, "CodeDeploy watches the alarms of {release} itself"),
        Phase.UNPROVEN: _always(
            Action.INVESTIGATE, "{name}, which observed {release}, did not finish; the guard still sees its alarms"
        ),
        Phase.PROVEN: _WATCH_PROVEN,
    },
    Happening.UNOBSERVED: {
        Phase.NONE: _WATCH_OLD,
        Phase.CANARY: _unobserved,
        Phase.ROLLING_OUT: _unobserved,
        Phase.UNPROVEN: _unobserved_proof,
        Phase.PROVEN: _WATCH_PROVEN,
    },
    Happening.FOUND_BAD: {
        Phase.NONE: _WATCH_OLD,
        Phase.CANARY: _FOUND_BAD,
        Phase.ROLLING_OUT: _FOUND_BAD,
        Phase.UNPROVEN: _FOUND_BAD,
        Phase.PROVEN: _WATCH_PROVEN,
    },
}
"""What happened x how exposed the release is -> what is done; every cell is filled."""
