"""Status -> symbol, word and colour, in one place; the word is always there: nothing is told by colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.model.outcome import OutcomeStatus
from manuel_release.model.release import ReleaseState
from manuel_release.model.stack import Action
from manuel_release.model.status import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from manuel_release.model.stack import Stack


@dataclass(frozen=True)
class Mark:
    """How a status looks: a symbol, its stand-in where the terminal knows only ASCII, a word, and a colour."""

    symbol: str
    ascii: str
    word: str
    colour: str

    def sign(self, ascii_only: bool) -> str:
        """The symbol that the terminal can show."""
        return self.ascii if ascii_only else self.symbol

    def text(self, ascii_only: bool) -> str:
        """Symbol and word."""
        return f"{self.sign(ascii_only)} {self.word}"


def good(word: str) -> Mark:
    """It is as it should be."""
    return Mark("✔", "+", word, "green")


def bad(word: str) -> Mark:
    """It failed, or breaks something now."""
    return Mark("✖", "x", word, "red")


def running(word: str) -> Mark:
    """It is under way."""
    return Mark("◌", "o", word, "cyan")


def waiting(word: str) -> Mark:
    """It waits for a person."""
    return Mark("◷", "!", word, "yellow")


def quiet(word: str) -> Mark:
    """It is neither good nor bad."""
    return Mark("•", "-", word, "bright_black")


RELEASE: Mapping[ReleaseState, Mark] = {
    ReleaseState.DEPLOYING: running("deploying"),
    ReleaseState.STAGED: waiting("staged, 0 %"),
    ReleaseState.CANARY: running("canary"),
    ReleaseState.ROLLING_OUT: running("rolling out"),
    ReleaseState.LIVE: good("live"),
    ReleaseState.REPLACED: quiet("replaced"),
    ReleaseState.FAILED: bad("failed"),
    ReleaseState.ROLLED_BACK: Mark("↺", "<", "rolled back", "yellow"),
}

ACTION: Mapping[Action, Mark] = {
    Action.ADD: Mark("+", "+", "add", "green"),
    Action.MODIFY: Mark("~", "~", "modify", "yellow"),
    Action.REMOVE: Mark("-", "-", "remove", "red"),
    Action.IMPORT: Mark("+", "+", "import", "green"),
    Action.DYNAMIC: Mark("~", "~", "known only while it runs", "yellow"),
    Action.SYNC: Mark("~", "~", "put back as the template says", "yellow"),
}

OUTCOME: Mapping[OutcomeStatus, Mark] = {
    OutcomeStatus.LIVE: good("live"),
    OutcomeStatus.STAGED: waiting("staged, 0 %"),
    OutcomeStatus.NOTHING_TO_DO: good("nothing to do"),
    OutcomeStatus.PLANNED: quiet("planned only"),
}

CONDITION: Mapping[Condition, Mark] = {
    Condition.HEALTHY: good("healthy"),
    Condition.CHANGING: running("changing"),
    Condition.WAITING: waiting("waits for a person"),
    Condition.ATTENTION: bad("needs attention"),
    Condition.EMPTY: quiet("nothing deployed"),
}

_VERDICT = {"good": good("good"), "bad": bad("bad")}

_STEP = {"done": good("done"), "skipped": quiet("skipped"), "failed": bad("failed")}

_ALARM = {"OK": good("OK"), "ALARM": bad("ALARM"), "INSUFFICIENT_DATA": quiet("no data")}


def step(status: str) -> Mark:
    """The mark of a step's end (`done`, `skipped`, `failed`); any other word is shown as it is."""
    return _STEP.get(status, quiet(status))


def alarm(state: str) -> Mark:
    """The mark of a CloudWatch alarm's state; a state that is new to us is shown as it is."""
    return _ALARM.get(state, quiet(state))


def verdict(word: str) -> Mark:
    """The mark of a canary's verdict: `good`, `bad`, or words for neither."""
    return _VERDICT.get(word, running(word))


def stack(found: Stack) -> Mark:
    """The mark of a stack, in CloudFormation's own word."""
    if found.busy:
        return running(found.status)
    if found.failed:
        return bad(found.status)
    return quiet(found.status) if found.never_created else good(found.status)
