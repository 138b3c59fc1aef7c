"""The signal of one kind of bad event: its e-process against *bad* and its proof of *good*."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.verdict.clustering import EventRuns
from manuel_release.verdict.findings import Facts
from manuel_release.verdict.promotion import NonInferiority
from manuel_release.verdict.settings import Routing
from manuel_release.verdict.stretch import Stretch, Sums
from manuel_release.verdict.wealth import EventProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from manuel_release.verdict.counts import ArmCounts

    Reader = Callable[[ArmCounts], tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class Interval:
    """One interval as the signals see it.

    `share` bounds the canary's share of requests (0-1) from below and above, `betting` is False while there are not two
    arms by weight, `settled` is True when the split follows the present weight, `grace` is True while cold starts are
    expected, and `split_phi` is the length of runs seen in the split of requests (1 when each is drawn anew).
    """

    start: float
    end: float
    share: tuple[float, float]
    betting: bool
    settled: bool
    grace: bool
    split_phi: float
    stable: ArmCounts
    canary: ArmCounts


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of bad event: its part of alpha, how to read (events, requests) from an arm, and what matters of it.

    `read` answers None when the events were not measured. `material_percent` is the smallest difference that is rolled
    back, `margin_percent` the largest that is called good, None for an event that can only say *bad*.
    """

    metric: str
    share: float
    read: Reader
    material_percent: float
    margin_percent: float | None = None


class EventSignal:
    """Bad events of one kind: 5xx, 4xx, or a business counter."""

    def __init__(self, kind: Kind, alpha: float, routing: Routing) -> None:
        self.proof = NonInferiority(kind.margin_percent / 100.0) if kind.margin_percent is not None else None
        self.phi = 1.0
        self._kind = kind
        self._process = EventProcess(1.0 / (kind.share * alpha))
        self._routing = routing
        self._runs = EventRuns(assumed=routing is Routing.PER_USER)
        self._stretch = Stretch()
        self._whole = Sums()
        self._highest = 1.0
        self._measured = False

    def learn(self, start: float, stable: ArmCounts) -> None:
        """Take an interval of the stable arm, beginning at `start` seconds, into the past."""
        reading = self._kind.read(stable)
        if reading is None:
            return
        self._runs.learn(start, *reading)
        if self.proof:
            self.proof.learn(*reading)

    def update(self, interval: Interval) -> None:
        """Bet on one interval."""
        canary, stable = self._kind.read(interval.canary), self._kind.read(interval.stable)
        self._measured = canary is not None and stable is not None
        if self._routing is not Routing.PER_REQUEST:
            self.phi = max(self._runs.phi, interval.split_phi)
        if not interval.betting or canary is None or stable is None:
            return
        self._stretch.begin(self._process.value)
        self._process.update(canary[0], stable[0], interval.share[1], self.phi)
        self._highest = max(self._highest, self._process.value)
        if interval.settled:
            self._runs.see_split(canary[0], stable[0])
        else:
            self._runs.restart()
        for sums in (self._stretch, self._whole):
            sums.add(interval.start, interval.end, canary, stable)
        if self.proof:
            self.proof.update(canary[0], canary[1], stable[0], stable[1])

    def facts(self) -> Facts:
        """The numbers now: of the stretch in which the evidence grew once it is decided, else of the whole release."""
        proven_worse = self._highest >= self._process.cap
        return Facts(
            metric=self._kind.metric,
            measured=self._measured,
            material=self._stretch.difference_percent >= self._kind.material_percent,
            sums=self._stretch if proven_worse else self._whole,
            e_value=self._process.value,
            highest=self._highest,
            threshold=self._process.cap,
            share=self._kind.share,
            proof=self.proof,
            phi=self.phi,
        )
