"""Values computed independently with 50 digits, as direct sums over starting times (CANARY.md section 5)."""

from __future__ import annotations

import math

import pytest

from manuel_release.verdict.exposure import log_mixture
from manuel_release.verdict.latency import LatencyPast, LatencyProcess, density_ratios
from manuel_release.verdict.promotion import NonInferiority
from manuel_release.verdict.wealth import RATIO_PRIOR, EventProcess, Wealth, boost, log_factors

PAST = (40, 100, 160, 80, 15, 5)
CANARY = (0, 2, 3, 3, 2, 2)
STABLE = (9, 22, 35, 18, 3, 1)


def unboosted(intervals: list[tuple[int, int, float]]) -> list[float]:
    wealth = Wealth(RATIO_PRIOR)
    values = []
    for canary, stable, rho in intervals:
        wealth.stake()
        wealth.settle(log_factors(canary, stable, rho))
        values.append(wealth.value)
    return values


def test_the_evidence_of_mixed_intervals_is_the_reference() -> None:
    got = unboosted([(0, 1, 0.1), (1, 0, 0.1), (1, 0, 0.1), (0, 2, 0.1), (2, 1, 0.1), (3, 1, 0.5), (4, 0, 0.5)])

    assert got == pytest.approx(
        [
            0.630700804430296787,
            1.5349719593458424,
            6.01653666249925743,
            1.9615217875906536,
            15.600951588919325,
            19.2136315458199881,
            161.696953014928205,
        ],
        rel=1e-14,
    )


@pytest.mark.parametrize(
    ("rho", "expected"),
    [
        (0.1, [4.32369276012732892, 29.6621786255222591, 244.533674451854025, 2167.12061952734626]),
        (
            0.5,
            [
                1.5364904286488255,
                2.50916212169455064,
                4.2975751982976325,
                7.62455547564535639,
                13.8735246934296834,
                25.7033954216023264,
                48.2428684036092444,
                91.4149021858070306,
                174.469149308740596,
            ],
        ),
    ],
)
def test_the_evidence_of_canary_errors_alone_is_the_reference(rho: float, expected: list[float]) -> None:
    assert unboosted([(1, 0, rho)] * len(expected)) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("events", "rho", "expected"),
    [
        (3, 0.1, 1.10273561762),
        (4, 0.1, 1.25507463787),
        (10, 0.1, 1.50161058076),
        (12, 0.5, 1.37547311012),
        (30, 0.5, 1.8811290731),
    ],
)
def test_the_boost_is_the_exact_one(events: int, rho: float, expected: float) -> None:
    wealth = Wealth(RATIO_PRIOR)
    wealth.stake()

    assert boost(wealth, events, rho, 1000.0 / 6.0, 1.0) == pytest.approx(expected, rel=1e-10)


def test_the_boost_is_applied_by_the_process() -> None:
    process = EventProcess(1000.0 / 6.0)
    process.update(2, 1, 0.1)

    assert process.value == pytest.approx(1.10273561762 * unboosted([(2, 1, 0.1)])[0], rel=1e-10)


def test_the_density_ratios_are_the_reference() -> None:
    ratios = density_ratios(PAST)

    assert ratios[2] == pytest.approx(
        [0.485484445522822, 0.690573663500717, 0.981334452165383, 1.41071743057665, 1.95339553998531, 2.47028318732843],
        rel=1e-13,
    )
    assert ratios[6] == pytest.approx([0.9, 0.9, 0.9, 0.9, 2.9, 2.9], rel=1e-13)


@pytest.mark.parametrize(
    ("alternative", "expected"),
    list(
        enumerate(
            [
                2.45561296499219,
                5.43742111528272,
                19.5260577359856,
                74.7602732734637,
                15.9184318229529,
                4.02919253486426,
                19.0861561669988,
                51.8664781167952,
                5.92158120469156,
                12.7653327168632,
            ]
        )
    ),
)
def test_the_latency_factors_are_the_reference(alternative: int, expected: float) -> None:
    ratio = density_ratios(PAST)[alternative]
    factor = math.prod(
        r**canary / (0.9 + 0.1 * r) ** (canary + stable)
        for r, canary, stable in zip(ratio, CANARY, STABLE, strict=True)
    )

    assert factor == pytest.approx(expected, rel=1e-13)


def test_the_latency_evidence_is_the_reference() -> None:
    past = LatencyPast()
    past.learn(PAST)
    process = LatencyProcess()
    process.update(CANARY, STABLE, (0.1, 0.1), past)

    assert process.value == pytest.approx(18.0731401990879004, rel=1e-13)


def test_non_inferiority_is_the_reference() -> None:
    proof = NonInferiority(0.005)
    proof.learn(50, 10_000)
    got = []
    for canary_events, canary, stable_events, stable in ((0, 200, 9, 1800), (1, 200, 8, 1800), (0, 1000, 5, 1000)):
        got.append((proof.update(canary_events, canary, stable_events, stable), proof.log_e))
        proof.learn(stable_events, stable)

    assert [t for t, _ in got] == pytest.approx(
        [0.00474660303158803, 0.00474593439525974, 0.00347127186569708], rel=1e-13
    )
    assert [e for _, e in got] == pytest.approx([0.967487794575735, 1.21044579442137, 5.0723559196811], rel=1e-12)


def test_the_beta_binomial_mixture_is_the_reference() -> None:
    canary = stable = 0
    got = []
    for more_canary, more_stable in ((1, 0), (0, 1), (2, 0), (1, 1), (3, 0)):
        canary, stable = canary + more_canary, stable + more_stable
        null = canary * math.log(0.1) + stable * math.log(0.9)
        got.append(math.exp(log_mixture(canary, stable, 2 * 0.1, 2 * 0.9) - null))

    assert got == pytest.approx([1, 0.666666666666667, 8.8, 20.8592592592593, 3922.93135802469], rel=1e-12)
