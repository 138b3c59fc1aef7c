"""A run as JUnit XML, JSON, HTML with a plot, and on a terminal."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from integration.performance import plot
from integration.performance.judged import RUN
from integration.performance.measured import QUANTILES, SCHEMA_VERSION
from integration.suites import junit
from integration.suites.page import STYLE
from integration.suites.results import Case

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from integration.performance.judged import Check, Compared
    from integration.performance.measured import Record

WIDTH = 80
SUITE = "performance"


@dataclass(frozen=True)
class Outcome:
    """What one run came to.

    releases: who answered how many requests. seconds: the whole program. rate: requests a second that were asked for.
    passes: how often it was measured. left_out: scenario to why it was not measured. kept: where the record is.
    """

    record: Record
    checks: Sequence[Check]
    comparisons: Sequence[Compared]
    baseline: str
    records: Sequence[Record]
    releases: Mapping[str, int]
    url: str
    seconds: float
    rate: float
    passes: int
    left_out: Mapping[str, str] = field(default_factory=dict)
    kept: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def ok(self) -> bool:
        """Whether everything held."""
        return all(one.passed for one in self.checks)

    @property
    def title(self) -> str:
        """One line."""
        said = "passed" if self.ok else "failed"
        return (
            f"{self.record.environment}, {self.record.profile} profile, {self.record.release or 'no release'}: {said}"
        )


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The whole run; no secrets."""
    return {
        **outcome.record.as_json(),
        "schema_version": SCHEMA_VERSION,
        "ok": outcome.ok,
        "seconds": round(outcome.seconds, 1),
        "requests_per_second": outcome.rate,
        "passes": outcome.passes,
        "releases": dict(outcome.releases),
        "baseline": outcome.baseline or None,
        "comparisons": [one.as_json() for one in outcome.comparisons],
        "checks": [asdict(one) for one in outcome.checks],
        "left_out": dict(outcome.left_out),
        "kept": list(outcome.kept),
        "notes": list(outcome.notes),
    }


def as_junit(outcome: Outcome) -> bytes:
    """A case for every check and for every scenario that was left out."""
    names = [*outcome.record.scenarios, *outcome.left_out, RUN]
    suites = {f"{SUITE}.{name}": [_case(one) for one in outcome.checks if one.scenario == name] for name in names}
    for name, why in outcome.left_out.items():
        suites[f"{SUITE}.{name}"].append(Case(name, "measured", "skipped", 0.0, why))
    record = outcome.record
    title = f"manuel {record.environment} {SUITE} {record.profile}"
    return junit.written(title, record.environment, record.started_at.rstrip("Z"), outcome.seconds, suites)


def _case(one: Check) -> Case:
    if one.passed:
        return Case(one.scenario, one.name, "passed", 0.0, output=one.sentence)
    return Case(one.scenario, one.name, "failed", 0.0, one.sentence, one.sentence)


def as_html(outcome: Outcome) -> str:
    """A page that needs nothing besides itself."""
    record, title = outcome.record, f"Performance: {outcome.title}"
    begun = (
        f"{outcome.url}, begun {record.started_at}, {outcome.rate:g} requests a second, {outcome.seconds:.0f} s in "
        f"all, measured {_often(outcome.passes)}; compared with {outcome.baseline or 'nothing yet'}."
    )
    head = "<tr><th>scenario</th><th>requests</th><th>failed</th><th>P50</th><th>P95</th></tr>"
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td>{one.requests}</td><td>{one.failed}</td>"
        f"<td>{one.at(0.5):.0f} ms</td><td>{one.at(0.95):.0f} ms</td></tr>"
        for one in record.scenarios.values()
    )
    looked = "".join(
        f"<tr><td class='{'good' if one.passed else 'bad'}'>{_mark(one)}</td><td>{escape(one.scenario)}</td>"
        f"<td>{escape(one.name)}</td><td>{escape(one.sentence)}</td></tr>"
        for one in outcome.checks
    )
    same = [one for one in outcome.records if one.profile == record.profile]
    plots = "".join(
        f"<h3>{escape(name)}</h3>{plot.svg(name, same)}" for name in record.scenarios if plot.svg(name, same)
    )
    said = "".join(f"<li>{escape(one)}</li>" for one in _said(outcome))
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f"<h1 class='{'good' if outcome.ok else 'bad'}'>{escape(title)}</h1><p>{escape(begun)}</p>"
        f"<table>{head}{rows}</table><h2>Checks</h2><table>{looked}</table>"
        f"<h2>Release by release</h2><p>Dots are quantiles, bars their 95 % intervals; ✗ marks a release that did not "
        f"pass.</p>{plots}" + (f"<h2>Notes</h2><ul>{said}</ul>" if said else "") + "</body></html>\n"
    )


def as_markdown(outcome: Outcome) -> str:
    """A table for documents and tickets: each scenario's quantiles, and beside the baseline with their intervals."""
    against = outcome.baseline or "no baseline"
    lines = [
        f"| scenario | requests | failed | P50 | P95 | P50 beside {against} | P95 beside {against} |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one in outcome.record.scenarios.items():
        ratios = {found.comparison.quantile: found for found in outcome.comparisons if found.scenario == name}
        beside = [_beside(ratios.get(quantile)) for quantile in QUANTILES]
        cells = (name, one.requests, one.failed, f"{one.at(0.5):.0f} ms", f"{one.at(0.95):.0f} ms", *beside)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def _beside(found: Compared | None) -> str:
    """`1.02 (0.95 to 1.09), fine`; of a second measurement, the second."""
    if found is None:
        return ""
    one = found.again or found.comparison
    return f"{one.ratio:.2f} ({one.low:.2f} to {one.high:.2f}), {one.judgement.value}" if one.low else "no interval"


def as_text(outcome: Outcome, folder: str) -> str:
    """What a person reads at the end of a run, 80 columns wide."""
    lines = [f"{'✓' if outcome.ok else '✗'} {outcome.title} ({outcome.seconds:.0f} s)", ""]
    lines.append(f"  {'scenario':<12}{'requests':>9}{'failed':>8}{'P50':>10}{'P95':>10}")
    for one in outcome.record.scenarios.values():
        p50, p95 = (f"{one.at(quantile):.0f} ms" for quantile in (0.5, 0.95))
        lines.append(f"  {one.name:<12}{one.requests:>9}{one.failed:>8}{p50:>10}{p95:>10}")
    lines.append("")
    for check in outcome.checks:
        where = "" if check.scenario == RUN else f"{check.scenario}: "
        lines += _wrapped(f"{_mark(check)} {where}{check.sentence}")
    lines += [one for said in _said(outcome) for one in _wrapped(f"- {said}")]
    return "\n".join([*lines, "", f"  Reports: {folder}"])


def _said(outcome: Outcome) -> list[str]:
    left_out = [f"{name} was not measured: {why}." for name, why in outcome.left_out.items()]
    kept = [f"Recorded in {' and '.join(outcome.kept)}."] if outcome.kept else []
    return [*left_out, *kept, *(f"{one}." for one in outcome.notes)]


def _mark(one: Check) -> str:
    return "✗" if not one.passed else "?" if one.unsure else "✓"


def _often(passes: int) -> str:
    return "once" if passes == 1 else "twice"


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
