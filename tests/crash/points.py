"""The commands, the calls at which each may die, and what one death is followed by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from crash.consistency import Expected, complaints, deadly, left_over
from crash.dying import DIED
from crash.small_service import BASE, ENVIRONMENT
from crash.states import HALF, LIVE, RESTORED, ROLLING, SHARED, STAGED

from manuel_release.model.release import release_name

if TYPE_CHECKING:
    from crash.crash_world import CrashWorld, Ran

AGAIN, ROLLBACK = "the command again", "`rollback`"
UNDO = ("rollback", "--no-probe")


@dataclass(frozen=True)
class Command:
    """One command in one state of the world.

    words: what is typed; `deploy` gets its artifact besides. serving: the releases that may answer at its beginning
    and at its end. done: the world when it worked. canary: whether the environment has one.
    """

    name: str
    state: str
    words: tuple[str, ...]
    serving: frozenset[str]
    done: Expected
    canary: bool = True

    @property
    def deploys(self) -> bool:
        """Whether it makes a release."""
        return self.words[0] == "deploy"

    @property
    def recoveries(self) -> tuple[str, ...]:
        """What is typed after its death."""
        return (AGAIN,) if self.words == UNDO else (AGAIN, ROLLBACK)


MADE = "r-5"
"""What a deploy makes, unless its number was lost: it died between reserving it and writing down its plan."""
OLD, NEW = frozenset({"r-3"}), frozenset({"r-3", "r-4"})
BACK = Expected("r-3", rolled_back="r-4")
PROMOTE = ("canary", "promote")
ANYHOW = ("--yes", "--override", "crash points")
COMMANDS = (
    Command("deploy", RESTORED, ("deploy", "--yes"), frozenset({"r-4"}), Expected("r-4", staged=MADE)),
    Command(
        "deploy where it serves at once",
        LIVE,
        ("deploy", "--yes"),
        frozenset({"r-4", MADE}),
        Expected(MADE),
        canary=False,
    ),
    Command("canary start", STAGED, ("canary", "start", "--yes"), NEW, Expected("r-3", canary=("r-4", 10.0))),
    Command("canary promote 50", SHARED, (*PROMOTE, "50", *ANYHOW), NEW, Expected("r-3", canary=("r-4", 50.0))),
    Command("canary promote 100", HALF, (*PROMOTE, "100", *ANYHOW), NEW, Expected("r-4")),
    Command("rollback of a waiting release", STAGED, UNDO, OLD, BACK),
    Command("rollback of a canary", HALF, UNDO, NEW, BACK),
    Command("rollback in the middle of CodeDeploy", ROLLING, UNDO, NEW, BACK),
    Command("rollback of what holds 100 %", LIVE, UNDO, NEW, BACK),
)


@dataclass(frozen=True, order=True)
class Point:
    """A death: before or after the call of this name, the `number`-th of that name."""

    call: str
    number: int
    when: str

    def __str__(self) -> str:
        return f"{self.when} {self.call} ({self.number})"


def recoveries(command: Command, point: Point, *, every: bool) -> tuple[str, ...]:
    """What a death is followed by: everything, or one of the two.

    The world after a call and the world before the next one are the same, so one for each death tries both in each.
    """
    if every or len(command.recoveries) == 1:
        return command.recoveries
    return (AGAIN,) if point.when == "before" else (ROLLBACK,)


@dataclass(frozen=True)
class Outcome:
    """How one death ended: what was typed after it, and what was wrong then, a sentence each.

    reached: whether the command got to the call; one that it makes while it waits may be missing.
    """

    command: Command
    point: Point
    recovery: str
    wrong: tuple[str, ...]
    reached: bool = True

    def __str__(self) -> str:
        told = "\n".join(f"    {one}" for one in self.wrong)
        return f"{self.command.name}: died {self.point}, then {self.recovery}:\n{told}"


def words(service: CrashWorld, command: Command, *, new: bool) -> list[str]:
    """What is typed; `new`: a deploy's artifact is one that was never deployed."""
    artifact = ("--artifact", str(service.artifact(new=new))) if command.deploys else ()
    return [*command.words, *artifact]


def typed(service: CrashWorld, command: Command, *, new: bool, **death: Any) -> Ran:
    """Run the command, to its death where one is given."""
    return service.run(*words(service, command, new=new), canary=command.canary, **death)


def record(service: CrashWorld, command: Command) -> tuple[Point, ...]:
    """Run the command once without a death: its points. Raises AssertionError when that does not work."""
    service.reset(command.state)
    ran = typed(service, command, new=True)
    assert ran.code == 0, ran.said
    wrong = complaints(service, command.done, canary=command.canary)
    assert not wrong, wrong
    seen: Counter[str] = Counter()
    found: list[Point] = []
    for call in ran.calls:
        seen[call] += 1
        found += [Point(call, seen[call], when) for when in ("before", "after")]
    return tuple(found)


def die(service: CrashWorld, command: Command, point: Point, recovery: str) -> Outcome:
    """Let the command die there, look, recover, and look again."""
    service.reset(command.state)
    ran = typed(service, command, new=True, at=point.call, number=point.number, when=point.when)
    reached = ran.code == DIED
    if not reached and (ran.code != 0 or point.number <= 1 or point.call not in ran.calls):
        return Outcome(command, point, recovery, (f"it did not die there, but ended with {ran.code}: {ran.said}",))
    wrong = deadly(service, command.serving) + recover(service, command, recovery)
    return Outcome(command, point, recovery, tuple(wrong), reached)


def recover(service: CrashWorld, command: Command, recovery: str) -> list[str]:
    """Type what helps after a death, and ask whether everything is right then."""
    service.wait_for_lease()
    wrong = _again(service, command) if recovery == AGAIN else _back(service, command)
    return wrong + (_tidied(service, command) if left_over(service) else [])


def _tidied(service: CrashWorld, command: Command) -> list[str]:
    """A pruning that died is finished by the next deploy of something else."""
    wrong = _failed("the next deploy", typed(service, command, new=True))
    return wrong + [f"{release} is pruned, and some function still has it" for release in left_over(service)]


def _made(service: CrashWorld) -> str:
    """The release that a deploy goes on with or is going to make; a number that was reserved in vain is lost."""
    begun = [one.name for one in service.history() if one.name not in BASE]
    return begun[0] if begun else release_name(service.ledger.last_number(ENVIRONMENT) + 1)


def _again(service: CrashWorld, command: Command) -> list[str]:
    done, made = command.done, _made(service)
    done = replace(done, serving=made) if done.serving == MADE else done
    done = replace(done, staged=made) if done.staged == MADE else done
    ran = typed(service, command, new=False)
    wrong = _failed("again", ran) + complaints(service, done, canary=command.canary)
    return wrong + (_once_more(service, command) if command.deploys else [])


def _once_more(service: CrashWorld, command: Command) -> list[str]:
    """A deploy that is done knows itself by its digest, and changes nothing."""
    ran = typed(service, command, new=False)
    status = ran.answer.get("status") if isinstance(ran.answer, dict) else None
    wrong = [] if (ran.code, status) == (0, "nothing_to_do") else [f"once more it is {status}, {ran.code}: {ran.said}"]
    return wrong + [f"once more it calls {call}" for call in ran.calls]


def _back(service: CrashWorld, command: Command) -> list[str]:
    """Away from what the stage said was new, else from what held 100 %: docs/rollback.md."""
    variables = service.stage()["variables"]
    current, new = variables["current"], variables.get("candidate", "none")
    bad, to = (new, current) if new not in {"none", current} else (current, variables["previous"])
    ran = service.run(*UNDO, canary=command.canary)
    wrong = _failed("rollback", ran)
    if not command.deploys:
        return wrong + complaints(service, Expected("r-3", rolled_back="r-4"), canary=True)
    made = _made(service)
    expected = Expected(to, rolled_back=bad, begun=made)
    wrong += complaints(service, expected, canary=command.canary)
    return wrong + _finished(service, command, expected, made)


def _finished(service: CrashWorld, command: Command, before: Expected, made: str) -> list[str]:
    """The deploy, typed once more after the rollback, ends it: or is refused, when it was what was taken back."""
    ran = typed(service, command, new=False)
    if before.rolled_back == made:
        refused = ran.code == 3 and f"was rolled back as {made}" in ran.said + str(ran.answer)
        return [] if refused else [f"code that was rolled back is not refused: {ran.code}, {ran.said}"]
    serving, staged = (before.serving, made) if command.canary else (made, None)
    after = Expected(serving, staged=staged, rolled_back=before.rolled_back, serving_then=before.serving)
    return _failed("deploy after the rollback", ran) + complaints(service, after, canary=command.canary)


def _failed(what: str, ran: Ran) -> list[str]:
    left = ran.answer.get("left") if isinstance(ran.answer, dict) else None
    wrong = [f"{what}: left to a person: {one}" for one in left or ()]
    return wrong if ran.code == 0 else [*wrong, f"{what}: ended with {ran.code}: {ran.answer} {ran.said}"]
