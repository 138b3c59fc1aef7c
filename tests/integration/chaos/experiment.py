"""One experiment: well before, as promised during, well again after; and the faults gone whichever way it ends."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from integration.chaos.scenarios import SOON, STEADY, Check, told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from integration.chaos.injectors import Injector
    from integration.chaos.scenarios import Scenario
    from integration.chaos.target import Target

STEADY_TIMES = 2
RECOVERY_PAUSE = 1.0  # seconds between two looks


class Aborted(Exception):  # noqa: N818 - what happened
    """Somebody pulled a switch."""


@dataclass
class Timeline:
    """What happened when; `seconds` since the beginning."""

    clock: Callable[[], float] = time.monotonic
    events: list[dict[str, Any]] = field(default_factory=list)
    tell: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        self._began = self.clock()

    def add(self, event: str, **details: Any) -> None:
        """Something happens now."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.events.append({"at": at, "seconds": round(self.seconds, 3), "event": event, **details})
        self.tell(f"{self.seconds:7.1f} s  {event}" + "".join(f"  {key}: {value}" for key, value in details.items()))

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return self.clock() - self._began


@dataclass(frozen=True)
class Result:
    """What came of a scenario. outcome: passed, failed, skipped or aborted; reason: why not passed."""

    scenario: str
    hypothesis: str
    outcome: str
    checks: tuple[Check, ...] = ()
    seconds: float = 0.0
    recovered_seconds: float | None = None
    reason: str = ""


@dataclass
class Simulator:
    """Runs scenarios against one target.

    abort_file: a file whose presence ends everything. most_seconds: that the whole suite may take.
    """

    target: Target
    injectors: Sequence[Injector]
    timeline: Timeline
    abort_file: Path
    most_seconds: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def run(self, scenario: Scenario) -> Result:
        """Run one; raises Aborted, with the faults gone, as for every other exception."""
        injector = next((one for one in self.injectors if all(map(one.supports, scenario.faults))), None)
        if injector is None:
            reason = "no injector here can do this; whole functions need AWS FIS and the stack of chaos.yaml"
            self.timeline.add("skipped", scenario=scenario.name, reason=reason)
            return Result(scenario.name, scenario.hypothesis, "skipped", reason=reason)
        began = self.clock()
        self.timeline.add("scenario", scenario=scenario.name)
        before = [self._steady("before", STEADY)]
        used = self.target.used()
        charged = self.target.answered
        if not before[0].ok:  # what is broken already proves nothing
            return self._result(scenario, before, began, None)
        during = self._during(scenario, injector)
        after, recovered = self._recovery(scenario)
        charges = self._charges(used, charged)
        return self._result(scenario, [*before, *during, after, charges], began, recovered)

    def _result(self, scenario: Scenario, checks: list[Check], began: float, recovered: float | None) -> Result:
        failed = [check for check in checks if not check.ok]
        outcome = "failed" if failed else "passed"
        reason = f"{failed[0].phase}: {failed[0].sentence}: {failed[0].detail}" if failed else ""
        self.timeline.add(outcome, scenario=scenario.name)
        seconds = self.clock() - began
        return Result(scenario.name, scenario.hypothesis, outcome, tuple(checks), seconds, recovered, reason)

    def _during(self, scenario: Scenario, injector: Injector) -> list[Check]:
        checks: list[Check] = []
        try:
            injector.start(scenario.faults, scenario.lasts)
            self.timeline.add("faults begin", scenario=scenario.name)
            self.sleep(injector.settle_seconds)
            for expectation in scenario.during:
                self._go_on()
                checks.append(self._noted(expectation.observe(self.target)))
                if not injector.active():
                    raise Aborted(f"the faults of {scenario.name} were ended by somebody else, or lasted too long")
        finally:
            injector.stop()
            self.timeline.add("faults end", scenario=scenario.name)
        return checks

    def _steady(self, phase: str, routes: Sequence[str]) -> Check:
        replies = [self.target.ask(route) for route in routes for _ in range(STEADY_TIMES)]
        slowest = max(reply.seconds for reply in replies)
        ok = all(reply.ok for reply in replies) and slowest <= SOON
        detail = f"the slowest took {slowest:.2f} s; {told(replies)}"
        return self._noted(Check(phase, f"{', '.join(routes)} answer within {SOON:g} s", ok, detail))

    def _recovery(self, scenario: Scenario) -> tuple[Check, float | None]:
        began = self.clock()
        ill = list(STEADY)
        last: list[Any] = []
        while ill and self.clock() - began < scenario.recover_seconds:
            self._go_on()
            last = [self.target.ask(route) for route in ill]
            ill = [reply.route for reply in last if not (reply.ok and reply.seconds <= SOON)]
            if ill:
                self.sleep(RECOVERY_PAUSE)
        took = self.clock() - began
        sentence = f"every route is well again within {scenario.recover_seconds:g} s"
        detail = f"{', '.join(ill)} still ill; {told(last)}" if ill else f"after {took:.1f} s"
        return self._noted(Check("after", sentence, not ill, detail)), None if ill else took

    def _charges(self, used: int | None, charged: int) -> Check:
        now = self.target.used()
        answered = self.target.answered - charged
        counted = None if used is None or now is None else now - used
        ok = counted == answered
        return self._noted(
            Check("after", "only answered operations were charged", ok, f"{counted} charged, {answered} answered")
        )

    def _noted(self, check: Check) -> Check:
        verdict = "holds" if check.ok else "does not hold"
        self.timeline.add(verdict, phase=check.phase, check=check.sentence, detail=check.detail)
        return check

    def _go_on(self) -> None:
        if self.abort_file.exists():
            raise Aborted(f"the file {self.abort_file} is there")
        if self.timeline.seconds > self.most_seconds:
            raise Aborted(f"the suite took longer than its {self.most_seconds:g} s")
