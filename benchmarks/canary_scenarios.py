"""The releases that the benchmark judges."""

from __future__ import annotations

from canary_releases import Incident, Release

RATES = (0.2, 2.0, 20.0, 200.0)
STABLE = (0.0, 0.001, 0.005, 0.02)


def _rate(per_second: float) -> str:
    return f"{per_second:g} req/s"


def harmless() -> list[Release]:
    """Canaries that are as good as the stable arm."""
    out = [Release(f"A/A, {_rate(r)}, {100 * p:g} % 5xx", "A/A", r, p) for r in RATES for p in STABLE]
    for r in RATES:
        for name, incident in (
            ("5xx +10 pp for 2 min", Incident(120, 120, added_5xx=0.1)),
            ("5xx +50 pp across the step", Incident(270, 90, added_5xx=0.5)),
            ("x3 slower for 3 min", Incident(240, 180, slower=3.0)),
            ("5xx +3 pp and x2 slower until the end", Incident(200, 700, added_5xx=0.03, slower=2.0)),
        ):
            out.append(Release(f"incident, {_rate(r)}, {name}", "shared incident", r, 0.005, incident=incident))
    out += [Release(f"split x1.25, {_rate(r)}", "real split 25 % above", r, 0.02, share_factor=1.25) for r in RATES]
    out += [Release(f"split x0.75, {_rate(r)}", "real split 25 % below", r, 0.02, share_factor=0.75) for r in RATES]
    out += [
        Release(f"runs of {k:g}, {_rate(r)}, {100 * p:g} % 5xx", "sticky users", r, p, run_length=k)
        for r in RATES[1:]
        for p in (0.005, 0.02)
        for k in (3.0, 6.0)
    ]
    out += [
        Release(f"sessions of {k:g}, {_rate(r)}", "sticky users", r, 0.005, session=k)
        for r in RATES[1:3]
        for k in (3.0, 10.0)
    ]
    out += [Release(f"cold 30 s, {_rate(r)}", "cold starts", r, 0.001, cold_seconds=30.0) for r in RATES]
    out += [
        Release(f"cold requests, {_rate(r)}", "cold starts", r, 0.001, cold_requests=round(5 + 0.15 * r)) for r in RATES
    ]
    return out


def harmful_5xx() -> list[Release]:
    """Canaries that answer more 5xx."""
    out = [
        Release(f"5xx {100 * p:g} % +{100 * d:g} pp, {_rate(r)}", f"5xx +{100 * d:g} pp", r, p, added_5xx=d)
        for d in (0.003, 0.005, 0.01, 0.05, 0.5)
        for r in RATES
        for p in STABLE
    ]
    out += [
        Release(
            f"5xx {100 * p:g} % +{100 * d:g} pp from 450 s, {_rate(r)}",
            "5xx from 450 s",
            r,
            p,
            added_5xx=d,
            onset=450.0,
        )
        for d in (0.01, 0.05, 0.5)
        for r in RATES[1:]
        for p in (0.0, 0.005)
    ]
    out += [
        Release(f"5xx +50 pp 20 s in 120 s, {_rate(r)}", "5xx now and then", r, 0.005, added_5xx=0.5, on_off=(20, 120))
        for r in RATES[1:]
    ]
    out += [
        Release(f"5xx 1 % +10 pp in runs of 4, {_rate(r)}", "5xx in runs", r, 0.01, added_5xx=0.1, run_length=4.0)
        for r in RATES[1:]
    ]
    return out


def harmful_other() -> list[Release]:
    """Canaries that are slower or answer more 4xx."""
    out = [
        Release(f"P95 {p95 / 1000:g} s x{s:g}, {_rate(r)}", f"latency x{s:g}", r, 0.001, p95_ms=p95, slower=s)
        for s in (1.1, 1.5, 3.0)
        for r in RATES
        for p95 in (400.0, 3000.0)
    ]
    out += [Release(f"10 % of requests x10, {_rate(r)}", "latency tail", r, 0.001, tail=0.1) for r in RATES[1:]]
    out += [Release(f"4xx +5 pp, {_rate(r)}", "4xx +5 pp", r, 0.001, added_4xx=0.05) for r in RATES[1:]]
    return out
