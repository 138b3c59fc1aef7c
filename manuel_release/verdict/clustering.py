"""Recognising that events come in runs, so that one unlucky user is not taken for many witnesses.

Two neighbouring counts a, b with the same rate for each request: given s = a + b and the first one's part q of the
requests, (a - s q)^2 / (s q (1 - q)) has mean exactly 1, whatever the rate is and however the traffic jumps, so
incidents and daily rhythm do not disturb it. Runs of K events give E[K^2] / E[K] instead. The split of requests works
the same way: with independent draws the standardised squared difference of two neighbouring shares has mean 1. Bets on
"more than that" are e-processes, so a healthy stream is taken for a clustered one rarely.
"""

from __future__ import annotations

RECOGNISED = 6.0
"""Evidence from which runs are taken for real."""
MOST_FROM_COUNTS = 12.0
"""A restless error rate looks like runs for ever; a dozen pairs of splits can refute this much."""
TOLERATED = 1.5
TOLERATED_RATE_CHANGE = 0.02
"""Squared half-difference of two neighbouring rates that counts as ordinary noise."""
MOST_SURPRISE = 6.0
FRACTIONS = (0.1, 0.3, 0.6)
LEAST_STAKE = 1e-4
LEAST_EVENTS = 3
"""Fewer in a pair of counts cannot tell."""
MOST_PHI = 30.0
BLOCKS = (0.0, 60.0)
"""Neighbouring intervals and neighbouring minutes are compared."""
ASSUMED_PHI = 8.0
ASSUMED_WORTH = 20.0
"""Declared per-user routing: runs of 8 are assumed, worth 20 observed events."""
TOLERATED_SHARE_CHANGE = 0.005


class RunBet:
    """Evidence that squared differences are larger than `tolerated`."""

    __slots__ = ("_stakes",)

    def __init__(self) -> None:
        self._stakes = [1.0 / len(FRACTIONS)] * len(FRACTIONS)

    @property
    def value(self) -> float:
        """The e-value now."""
        return sum(self._stakes)

    def update(self, surprise: float, tolerated: float) -> None:
        """Bet on one squared difference whose mean is at most `tolerated` without runs.

        A stake never falls below LEAST_STAKE, so that runs which begin late are still noticed.
        """
        gain = min(MOST_SURPRISE, surprise / tolerated) - 1.0
        self._stakes = [
            min(1e9, max(LEAST_STAKE, stake * (1.0 + f * gain)))
            for stake, f in zip(self._stakes, FRACTIONS, strict=True)
        ]


class EventRuns:
    """`phi` of one kind of bad event, from the stable arm's counts and from the split over the arms.

    The stable arm's counts tell already before the canary starts, but a restless error rate looks like runs to them.
    The split tells only once there are two arms, and a restless rate does not touch it, nor does a worse canary. Given
    the counts the split is new information, so the two e-values may be multiplied.
    """

    __slots__ = ("_assumed", "_bets", "_blocks", "_split", "_squares", "_sums")

    def __init__(self, *, assumed: bool = False) -> None:
        self._assumed = assumed
        self._bets = [RunBet() for _ in BLOCKS]
        self._blocks = [_Pairs(seconds) for seconds in BLOCKS]
        self._split = SplitRuns()
        self._squares = 0.0
        self._sums = 0.0

    def learn(self, start: float, events: int, requests: int) -> None:
        """Add one interval of the stable arm's events and requests, beginning at `start` seconds."""
        if not requests:
            return
        for blocks, bet in zip(self._blocks, self._bets, strict=True):
            pair = blocks.add(start, events, requests)
            if pair is None:
                continue
            (mine, first), (other, second) = pair
            both, part = mine + other, first / (first + second)
            if both < LEAST_EVENTS:
                continue
            square = (mine - both * part) ** 2 / (part * (1.0 - part))
            bet.update(square / both, TOLERATED + TOLERATED_RATE_CHANGE * both)
            if blocks.seconds > 0.0:
                self._squares += square
                self._sums += both

    def see_split(self, canary: int, stable: int) -> None:
        """Add one interval's events of both arms."""
        self._split.update(canary, stable)

    def restart(self) -> None:
        """Begin a new pair, because the weight has changed."""
        self._split.restart()

    @property
    def phi(self) -> float:
        """How many events count as one: 1 unless runs are assumed or recognised."""
        if self._assumed:
            seen = (self._squares + ASSUMED_PHI * ASSUMED_WORTH) / (self._sums + ASSUMED_WORTH)
            return max(1.0, min(MOST_PHI, seen))
        counts = sum(bet.value for bet in self._bets) / len(self._bets)
        if min(counts, MOST_FROM_COUNTS) * self._split.evidence >= RECOGNISED:
            return max(2.0, min(MOST_PHI, max(self._squares / max(self._sums, 1.0), self._split.ratio)))
        return 1.0


class SplitRuns:
    """Runs of requests or events in how they split over the arms: users that stay on an arm bring several at once.

    Given the sums of two neighbouring intervals, the canary's part of the first is hypergeometric when each is drawn
    anew, whatever the canary's share is, and so also when the canary is worse.
    """

    __slots__ = ("_before", "_bet", "_squares", "_variances")

    def __init__(self) -> None:
        self._bet = RunBet()
        self._before: tuple[int, int] | None = None
        self._squares = 0.0
        self._variances = 0.0

    def restart(self) -> None:
        """Begin a new pair, because the weight has changed."""
        self._before = None

    def update(self, canary: int, stable: int) -> None:
        """Add one interval's requests or events of both arms."""
        total = canary + stable
        if not total:
            return
        if self._before is None:
            self._before = (canary, total)
            return
        mine, first = self._before
        self._before = None
        both, drawn = first + total, mine + canary
        variance = drawn * (both - drawn) * first * total / (both * both * (both - 1.0))
        if not variance or both < LEAST_EVENTS:
            return
        square = (mine - drawn * first / both) ** 2
        self._bet.update(square / variance, TOLERATED + TOLERATED_SHARE_CHANGE * drawn)
        self._squares += square
        self._variances += variance

    @property
    def evidence(self) -> float:
        """The e-value for runs."""
        return self._bet.value

    @property
    def ratio(self) -> float:
        """Squared differences over what independent draws would give; 1 before there are any."""
        return self._squares / self._variances if self._variances else 1.0

    @property
    def phi(self) -> float:
        """How many count as one: 1 unless runs are recognised."""
        return max(2.0, min(MOST_PHI, self.ratio)) if self.evidence >= RECOGNISED else 1.0


class _Pairs:
    """Sums (events, requests) into blocks and gives them out two by two."""

    __slots__ = ("_block", "_first", "_sums", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._block: float | None = None
        self._sums = (0, 0)
        self._first: tuple[int, int] | None = None

    def add(self, start: float, events: int, requests: int) -> tuple[tuple[int, int], tuple[int, int]] | None:
        block = start if self.seconds <= 0.0 else start // self.seconds
        if self._block is None:
            self._block = block
        finished: tuple[tuple[int, int], tuple[int, int]] | None = None
        if block != self._block:
            if self._first is None:
                self._first = self._sums
            else:
                finished = (self._first, self._sums)
                self._first = None
            self._block, self._sums = block, (0, 0)
        self._sums = (self._sums[0] + events, self._sums[1] + requests)
        return finished
