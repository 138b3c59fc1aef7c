"""The results as one HTML page that needs nothing besides itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from integration.suites.results import Results

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #ddd}"
    "pre{background:#f6f6f6;padding:.6rem;overflow:auto;font-size:13px}.bad{color:#a30000}.good{color:#00632b}"
)


def document(results: Results) -> str:
    """The page."""
    config = results.config
    title = f"{config.environment}, {config.profile} profile: {'passed' if results.ok else 'failed'}"
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1 class='{_kind(results.ok)}'>{escape(title)}</h1>",
        _begun(results),
        "<h2>Categories</h2>",
        _table(
            ("category", "passed", "failed", "not shown", "seconds"),
            [
                (
                    name,
                    str(len(results.of("passed", category=name))),
                    str(len(results.of("failed", "error", category=name))),
                    str(len(results.of("skipped", category=name))),
                    f"{sum(case.seconds for case in results.cases if case.category == name):.1f}",
                )
                for name in results.categories
            ],
        ),
        "<h2>Gates</h2>",
        _table(
            ("gate", "", "why"),
            [(gate.name, "passed" if gate.passed else "failed", gate.sentence) for gate in results.gates],
        ),
    ]
    failures = results.of("failed", "error")
    if failures:
        parts.append("<h2>Failures</h2>")
        parts += [
            f"<h3>{escape(one.category)}: {escape(one.name)}</h3><p class='bad'>{escape(one.message)}</p>"
            f"<pre>{escape(one.text)}</pre>"
            for one in failures
        ]
    skipped = results.of("skipped")
    if skipped:
        parts += ["<h2>Not shown</h2>", _list(f"{one.category}: {one.name}: {one.message}" for one in skipped)]
    coverage = results.coverage
    parts.append(f"<h2>Coverage of the API's contract: {coverage.percent:.1f} %</h2>")
    for heading, lines in (
        ("Missed", [str(answer) for answer in coverage.missed]),
        ("Only with a failing dependency (chaos suite)", [str(answer) for answer in coverage.apart]),
        ("Answered and not documented", [f"{name} ({count})" for name, count in coverage.undocumented.items()]),
    ):
        if lines:
            parts.append(f"<h3>{heading}</h3>{_list(lines)}")
    return "\n".join([*parts, "</body></html>\n"])


def _begun(results: Results) -> str:
    answered = ", ".join(f"{name} ({count})" for name, count in results.releases.items()) or "nobody"
    sentence = f"{results.config.url}, begun {results.started_at}, {results.seconds:.0f} s. Answered by {answered}."
    return f"<p>{escape(sentence)}</p>"


def _kind(ok: bool) -> str:
    return "good" if ok else "bad"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
