"""Makes load: a plan as JSON on stdin, what came of it as JSON on stdout. run.py starts it as a process of its own.

Importing locust replaces sockets, threads and sleep in the whole process by gevent's, so it is imported nowhere else.
Requests leave at a fixed rate whether or not those before were answered (an open loop; a user who waits for one answer
before asking again would hide how long others would have waited): locust's `constant_throughput` paces a scenario, and
every request is a greenlet of its own. https://docs.locust.io/en/stable/api.html#locust.wait_time.constant_throughput
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gevent
import gevent.event
import gevent.pool
from locust import FastHttpUser, constant_throughput, task  # makes the whole process gevent's
from locust.env import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER_SECONDS = 35.0  # API Gateway ends a request after 29
CONNECT_SECONDS = 10.0
LATE_SECONDS = 30.0  # after which what is still to be sent is given up
IN_FLIGHT = 1000  # requests of a scenario that wait for their answers at the most


@dataclass
class Noted:
    """What became of one scenario's requests: milliseconds and reasons, and how many came before the measurement."""

    milliseconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    warm_up: int = 0
    warm_up_errors: Counter[str] = field(default_factory=Counter)


@dataclass
class Run:
    """One run: the plan, and what was noted. ended: set when everything that a scenario asks was sent."""

    plan: dict[str, Any]
    noted: dict[str, Noted] = field(init=False)
    ended: dict[str, gevent.event.Event] = field(init=False)
    releases: Counter[str] = field(default_factory=Counter)
    flying: gevent.pool.Pool = field(default_factory=gevent.pool.Pool)

    def __post_init__(self) -> None:
        names = [one["name"] for one in self.plan["scenarios"]]
        self.noted = {name: Noted() for name in names}
        self.ended = {name: gevent.event.Event() for name in names}

    @property
    def seconds(self) -> float:
        """How long requests are to be sent."""
        return float(self.plan["warm_up_seconds"]) + float(self.plan["seconds"])

    def note(self, name: str, answer: Any, wrong: str, *, warming: bool) -> None:
        """One request is over; wrong: why it failed, empty when it did not."""
        noted, release = self.noted[name], (answer.headers or {}).get("X-Manuel-Release", "")
        if release:
            self.releases[release] += 1
        if warming:
            noted.warm_up += 1
            noted.warm_up_errors.update([wrong] if wrong else [])
            return
        noted.milliseconds.append(round(answer.request_meta["response_time"], 2))
        noted.errors.update([wrong] if wrong else [])


def wrong(answer: Any, wanted: dict[str, Any]) -> str:
    """Why an answer is none, in a few words that many failures share; empty when it is one."""
    if not answer.status_code:
        return f"no answer: {type(answer.error).__name__}"
    try:
        body = json.loads(answer.content or b"null")
    except ValueError:
        body = None
    if answer.status_code != wanted["status"]:
        error = body.get("error") if isinstance(body, dict) else None
        code = error.get("code", "") if isinstance(error, dict) else ""
        return f"{answer.status_code} {code}".strip()
    found = body.get(wanted["holds"]) if isinstance(body, dict) else None
    if found is None or not (found or wanted["may_be_empty"]):
        return f"{answer.status_code} without {wanted['holds']}"
    return ""


class Caller(FastHttpUser):
    """Sends one scenario's requests, each as the next person; `delay`: seconds before the first."""

    abstract = True
    fixed_count = 1
    insecure = False  # locust's own default accepts any certificate
    concurrency = IN_FLIGHT
    connection_timeout = CONNECT_SECONDS
    network_timeout = ANSWER_SECONDS
    load: Run
    scenario: dict[str, Any]
    people: Iterator[str]
    delay: float
    begun: float
    sent: int

    def on_start(self) -> None:
        """Keep the scenarios apart, or all of them would always ask in the same instant."""
        gevent.sleep(self.delay)
        self.begun, self.sent = time.perf_counter(), 0

    @task
    def call(self) -> None:
        """Send what is due and wait for no answer: one request, or more when this process did not get its turn."""
        rate, asked = float(self.scenario["rate"]), round(self.scenario["rate"] * self.load.seconds)
        due = min(asked, 1 + int((time.perf_counter() - self.begun) * rate))
        for number in range(self.sent, due):
            warming = number < rate * self.load.plan["warm_up_seconds"]
            self.load.flying.spawn(self.send, next(self.people), warming=warming)
        self.sent = due
        if due == asked:
            self.load.ended[self.scenario["name"]].set()

    def send(self, token: str, *, warming: bool) -> None:
        """One request and its answer."""
        scenario = self.scenario
        headers = {"User-Agent": "manuel-suites", "Authorization": token}
        if scenario["body"] is not None:
            headers["Content-Type"] = "application/json"
        with self.client.request(
            scenario["method"],
            scenario["path"],
            name=scenario["name"],
            data=scenario["body"] and json.dumps(scenario["body"]),
            headers=headers,
            allow_redirects=False,
            catch_response=True,
        ) as answer:
            why = wrong(answer, scenario["wanted"])
            if why:
                answer.failure(why)
            else:
                answer.success()
        self.load.note(scenario["name"], answer, why, warming=warming)


def caller(run: Run, scenario: dict[str, Any], delay: float) -> type[Caller]:
    """The locust user of one scenario."""
    members = {
        "host": run.plan["url"],
        "wait_time": constant_throughput(scenario["rate"]),
        "load": run,
        "scenario": scenario,
        "people": itertools.cycle(scenario["people"]),
        "delay": delay,
    }
    return type(scenario["name"], (Caller,), members)


def perform(plan: dict[str, Any]) -> dict[str, Any]:
    """Make the load that a plan describes; what came of it."""
    run = Run(plan)
    apart = 1 / sum(one["rate"] for one in plan["scenarios"])
    callers = [caller(run, one, index * apart) for index, one in enumerate(plan["scenarios"])]
    runner = Environment(user_classes=callers).create_local_runner()
    began = time.perf_counter()
    runner.start(len(callers), spawn_rate=100)
    for ended in run.ended.values():
        ended.wait(timeout=max(0.0, began + run.seconds + LATE_SECONDS - time.perf_counter()))
    sent_after = time.perf_counter() - began
    run.flying.join(timeout=ANSWER_SECONDS + CONNECT_SECONDS)
    runner.quit()
    return {
        "late_seconds": max(0.0, sent_after - run.seconds),
        "unfinished": len(run.flying),
        "releases": dict(run.releases),
        "scenarios": {
            name: {
                "milliseconds": noted.milliseconds,
                "errors": dict(noted.errors),
                "warm_up": noted.warm_up,
                "warm_up_errors": dict(noted.warm_up_errors),
            }
            for name, noted in run.noted.items()
        },
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(perform(json.load(sys.stdin))) + "\n")
