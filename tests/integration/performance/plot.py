"""P50 and P95 of one scenario, release by release, as inline SVG."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integration.performance.measured import Record

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 90, 16, 40
SHOWN = 20  # releases
LINES = ((0.95, "P95", "#8a3a00"), (0.5, "P50", "#00508a"))
GRID = 4
ROOM = 1.3  # above the highest dot; a bar of few requests may reach far higher and is cut off
LETTERS = 14  # between two names


def svg(scenario: str, records: Sequence[Record]) -> str:
    """The plot of the newest SHOWN records that have the scenario, oldest on the left; empty without any."""
    shown = [one for one in records if one.scenarios.get(scenario) and one.scenarios[scenario].requests][-SHOWN:]
    if not shown:
        return ""
    top = _round(ROOM * max(one.scenarios[scenario].at(LINES[0][0]) for one in shown))
    said = f"{scenario}: P50 and P95 in milliseconds of {len(shown)} releases up to {shown[-1].release}"
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' role='img' "
        f"aria-label='{escape(said, quote=True)}' font-family='system-ui,sans-serif' font-size='12'>"
    )
    parts = [
        head,
        *_grid(top),
        *(
            f"<text x='{_x(index, len(shown)):.1f}' y='{HEIGHT - BOTTOM + 18}' text-anchor='middle' "
            f"fill='{'#222' if one.ok else '#a30000'}'>{escape(one.release)}{'' if one.ok else ' ✗'}</text>"
            for index, one in enumerate(shown)
            if _labelled(index, len(shown))
        ),
    ]
    for line in LINES:
        parts += _line(shown, scenario, line, top)
    return "".join([*parts, "</svg>"])


def _line(shown: Sequence[Record], scenario: str, line: tuple[float, str, str], top: float) -> list[str]:
    """A line through the releases, a dot and an interval for each, and its name at the right end."""
    quantile, name, colour = line
    points, parts = [], []
    for index, one in enumerate(shown):
        x, value = _x(index, len(shown)), one.scenarios[scenario].at(quantile)
        low, high = _ends(one, scenario, quantile)
        end = min(high, top)
        points.append(f"{x:.1f},{_y(value, top):.1f}")
        parts.append(
            f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{_y(low, top):.1f}' y2='{_y(end, top):.1f}' "
            f"stroke='{colour}' stroke-width='5' stroke-opacity='.25'/>"
            f"<circle cx='{x:.1f}' cy='{_y(value, top):.1f}' r='3.5' fill='{colour}'>"
            f"<title>{escape(one.release)} {name} {value:.0f} ms ({low:.0f} to {high:.0f})</title></circle>"
        )
    last = shown[-1].scenarios[scenario].at(quantile)
    below = _y(shown[-1].scenarios[scenario].at(LINES[-1][0]), top) + 4
    y = below if quantile == LINES[-1][0] else min(_y(last, top) + 4, below - LETTERS)
    label = f"<text x='{WIDTH - RIGHT + 12}' y='{y:.1f}' fill='{colour}'>{name} {last:.0f} ms</text>"
    return [f"<polyline points='{' '.join(points)}' fill='none' stroke='{colour}' stroke-width='2'/>", *parts, label]


def _grid(top: float) -> list[str]:
    return [
        f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{_y(value, top):.1f}' y2='{_y(value, top):.1f}' stroke='#ddd'/>"
        f"<text x='{LEFT - 8}' y='{_y(value, top) + 4:.1f}' text-anchor='end' fill='#555'>{value:g} ms</text>"
        for value in (top * step / GRID for step in range(GRID + 1))
    ]


def _ends(one: Record, scenario: str, quantile: float) -> tuple[float, float]:
    """The interval, or the value itself where the requests are too few for one."""
    measurement = one.scenarios[scenario]
    return measurement.interval(quantile) or (measurement.at(quantile), measurement.at(quantile))


def _x(index: int, count: int) -> float:
    return LEFT + (WIDTH - RIGHT - LEFT) * (index + 0.5) / count


def _y(value: float, top: float) -> float:
    return TOP + (HEIGHT - BOTTOM - TOP) * (1 - value / top)


def _round(value: float) -> float:
    """The next of 1, 2, 4, 6, 8 and 10 times a power of ten."""
    power = 10 ** math.floor(math.log10(max(value, 0.001)))
    return next(power * step for step in (1, 2, 4, 6, 8, 10) if power * step >= value)


def _labelled(index: int, count: int) -> bool:
    """Every release has its name where there is room, the last one always."""
    every = math.ceil(count / 10)
    return (count - 1 - index) % every == 0
