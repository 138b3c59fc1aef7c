"""The guard: takes back a release on trial when something says that it is bad, seconds after the event.

It decides with manuel_release.plan.decision and rolls back with the same code as `manuel-release rollback`. Once a
minute it looks by itself: at a canary that nobody observes, at alarms whose event was held back or lost, at the counts
of a canary that people are deciding on, and at a rollback that was begun and not finished.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from manuel_release.app import App
from manuel_release.errors import AccessError, Partial, ReleaseError
from manuel_release.model.alarm import Signal, parse, prefix
from manuel_release.model.decision import Action, Decision, Happening, Occurrence, Phase, Situation
from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.notice import NoticeKind
from manuel_release.model.options import GlobalOptions
from manuel_release.model.rollback import Receipt, RollbackRequest
from manuel_release.notify import notify
from manuel_release.observe import location
from manuel_release.observe.exposure import Scene, observe_scene, red_alarms, weigh
from manuel_release.plan.decision import decide
from manuel_release.record.ledger import Ledger, entry_id
from operations import events
from operations.gate import asked_about
from operations.log import Log, say
from operations.once import Claim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from manuel_release.model.environment import Environment
    from manuel_release.model.progress import Progress
    from manuel_release.view.console import Screen

ROLLBACK_SECONDS = 300.0
"""The function's time-out: a rollback that somebody claimed so long ago is not under way any more."""
CONTINUE_SECONDS = 900.0
"""A rollback that could not be finished is tried again after so long."""
TOLD_SECONDS = 3600.0
"""People are told the same thing once in so long."""


def _roll_back(app: App, request: RollbackRequest, progress: Progress) -> Receipt:
    from manuel_release.rollback import roll_back  # noqa: PLC0415 - most events end before it is needed

    return roll_back(app, request, progress, lambda *_: None, lambda *_: True)


def _resume(app: App, environment: Environment, progress: Progress) -> Receipt | None:
    from manuel_release.rollback import resume  # noqa: PLC0415

    return resume(app, environment, progress)


def _judge(app: App) -> str:
    from operations.judge import bad  # noqa: PLC0415

    return bad(app)


def _app(environment: str | None) -> App:
    """The App of an environment, without a terminal: nothing that the guard calls shows anything."""
    app = App(GlobalOptions(environment=environment, yes=True), cast("Screen", None))
    app.files = False
    return app


@dataclass(frozen=True)
class Guard:
    """Decides and acts.

    app: the App for an environment, or for none. began: when the event arrived, in the time of `time.monotonic`.
    """

    app: Callable[[str | None], App] = _app
    roll_back: Callable[[App, RollbackRequest, Progress], Receipt] = _roll_back
    resume: Callable[[App, Environment, Progress], Receipt | None] = _resume
    judge: Callable[[App], str] = _judge
    began: float | None = None

    def handle(self, event: Mapping[str, Any]) -> list[dict[str, str]]:
        """Deal with an event; what was done for each environment. Raises ReleaseError, and is then to be run again."""
        if events.scheduled(event):
            return self.look()
        known = self.app(None).settings.environments
        return [self.occurred(one) for one in events.occurrences(event, known)]

    def occurred(self, occurrence: Occurrence, scene: Scene | None = None) -> dict[str, str]:
        """Decide about one thing that happened, and do it."""
        app = self.app(occurrence.environment)
        ledger = _ledger(app)
        scene = scene or self._scene(app, ledger)
        release = occurrence.release or asked_about(ledger, scene, occurrence.execution) or scene.exposed
        if release is None:
            return _told(occurrence, Decision(Action.KEEP_WATCHING, "no release is on trial"))
        found = weigh(app.aws, ledger, app.settings, scene, release, occurrence.signal, app.now())
        decision = decide(occurrence, found)
        if scene.problem and decision.action is Action.ESCALATE:
            decision = replace(decision, why=f"{decision.why}; what the ledger knows is missing: {scene.problem}")
        match decision.action:
            case Action.ROLL_BACK:
                decision = self._take_back(app, occurrence, found, decision)
            case Action.ESCALATE | Action.INVESTIGATE:
                self._tell(app, ledger, scene, occurrence, found, decision)
            case Action.KEEP_WATCHING:
                pass
        return _told(occurrence, decision)

    def look(self) -> list[dict[str, str]]:
        """What nobody sent an event about, in every environment that has a canary."""
        done: list[dict[str, str]] = []
        for environment in self.app(None).settings.environments:
            if environment.canary:
                try:
                    done.extend(self._look_at(self.app(environment.name)))
                except AccessError:
                    raise
                except ReleaseError as error:  # not deployed yet, or AWS is busy: the next minute comes
                    say(environment=environment.name, problem=error.message)
        return done

    def _look_at(self, app: App) -> list[dict[str, str]]:
        environment, ledger = app.environment, _ledger(app)
        scene = self._scene(app, ledger)
        done = self._continue(app, ledger, scene) if scene.unfinished else []
        release = scene.exposed
        if release is None:
            return done
        done.append(self.occurred(Occurrence(Happening.UNOBSERVED, environment.name, "heartbeat", release), scene))
        if done[-1]["action"] == Action.ROLL_BACK:
            return done
        for name, reason in red_alarms(app.aws, prefix(environment.short, release)):
            alarm = parse(name)
            if done[-1]["action"] == Action.ROLL_BACK:
                break
            # Throttles are both arms': only that they began while the release had traffic says something.
            if alarm is None or alarm.signal is Signal.THROTTLES:
                continue
            what = Occurrence(Happening.ALARM, environment.name, name, release, alarm.signal, reason.rstrip("."))
            done.append(self.occurred(what, scene))
        if done[-1]["action"] != Action.ROLL_BACK and self._handed_over(app, ledger, scene, release):
            why = self.judge(app).rstrip(".")
            if why:
                what = Occurrence(Happening.FOUND_BAD, environment.name, "verdict", release, text=why)
                done.append(self.occurred(what, scene))
        return done

    def _handed_over(self, app: App, ledger: Ledger | None, scene: Scene, release: str) -> bool:
        """Whether the canary's last observer left it to people; one that is at work judges it more often."""
        found = weigh(app.aws, ledger, app.settings, scene, release, None, app.now())
        return found.exposure.phase is Phase.CANARY and found.handed_over

    def _continue(self, app: App, ledger: Ledger | None, scene: Scene) -> list[dict[str, str]]:
        """Finish a rollback that was begun, unless somebody is at it."""
        environment = app.environment
        if ledger is not None and ledger.lease(environment.name, scene.stage.name) is not None:
            return []
        claim = Claim(app, f"continue {scene.stage.pinned or ''}")
        if not claim.take(CONTINUE_SECONDS):
            return []
        receipt = self.resume(app, environment, Log())
        if receipt is None or not receipt.left:
            claim.drop()
        if receipt is None:
            return []
        return [{"environment": environment.name, "action": "continued", "why": receipt.message or receipt.why}]

    def _scene(self, app: App, ledger: Ledger | None) -> Scene:
        environment = app.environment
        for anew in (False, True):
            where = location.find(app.aws, environment, app.memory, anew=anew)
            stage = app.aws.gateway.stage(where.rest_api_id, where.api_stage)
            if stage is not None:
                return observe_scene(ledger, environment, stage)
        raise ReleaseError(f"{environment.name} has no API stage {where.api_stage} of {where.rest_api_id}")

    def _take_back(self, app: App, occurrence: Occurrence, found: Situation, decision: Decision) -> Decision:
        """Roll back, once for all events of the same trial."""
        exposure = found.exposure
        claim = Claim(app, f"rollback {exposure.release} {exposure.since or ''}")
        if not claim.take(ROLLBACK_SECONDS):
            return Decision(Action.KEEP_WATCHING, f"{exposure.release} is being taken back already")
        request = RollbackRequest(
            only=exposure.release,
            reason=decision.why,
            trigger=occurrence.name,
            probe=False,
            began=self.began if self.began is not None else time.monotonic(),
        )
        try:
            receipt = self.roll_back(app, request, Log())
        except Partial as error:  # the traffic is back; what is left was told and written down there
            return replace(decision, why=f"{decision.why}. {error.message}")
        except ReleaseError as error:
            claim.drop()
            text = (
                f"The guard could not take {exposure.release} back: {error.message}. It was to, because {decision.why}."
            )
            command = f"manuel-release rollback --env {app.environment.name}"
            problem = notify(
                app,
                NoticeKind.PERSON_NEEDED,
                app.environment.name,
                exposure.release or "",
                text,
                {"trigger": occurrence.name, "next": command},
            )
            say(problem=problem)
            raise
        if receipt.from_release is None:
            return Decision(Action.KEEP_WATCHING, f"{exposure.release} has lost its traffic already")
        return replace(decision, why=f"{decision.why}. {receipt.to_release} serves again")

    def _tell(  # noqa: PLR0917 - what, about which release, and why
        self,
        app: App,
        ledger: Ledger | None,
        scene: Scene,
        occurrence: Occurrence,
        found: Situation,
        decision: Decision,
    ) -> None:
        """Tell people, and write down that nothing was moved; once in a while for the same thing."""
        release = found.exposure.release or ""
        what = f"{decision.action} {release} {found.exposure.since or ''} {occurrence.name}"
        if not Claim(app, what).take(TOLD_SECONDS):
            return
        name = app.environment.name
        problem = notify(
            app,
            _kind(decision, found.exposure.phase),
            name,
            release,
            f"{decision.why[:1].upper()}{decision.why[1:]}. Nothing was moved.",
            {"trigger": occurrence.name, "next": _next(name, found.exposure.phase)},
        )
        if problem:
            say(problem=problem)
        if ledger is None:
            return
        now = app.now()
        entry = Entry(
            entry_id(now),
            name,
            scene.stage.name,
            now,
            EntryKind.INVESTIGATE,
            release,
            app.holder,
            decision.why,
            {"decision": str(decision.action), "trigger": occurrence.name, "message": occurrence.text},
        )
        try:
            ledger.append(entry)
        except ReleaseError as error:
            say(problem=error.message)


def _ledger(app: App) -> Ledger | None:
    try:
        return app.ledger
    except ReleaseError as error:
        say(problem=error.message)
        return None


def _kind(decision: Decision, phase: Phase) -> NoticeKind:
    if decision.action is Action.INVESTIGATE:
        return NoticeKind.INVESTIGATE
    return NoticeKind.PERSON_NEEDED if phase is Phase.PROVEN else NoticeKind.INCIDENT


def _next(environment: str, phase: Phase) -> str:
    look = "status" if phase in {Phase.UNPROVEN, Phase.PROVEN} else "canary status"
    return f"manuel-release {look} --env {environment}"


def _told(occurrence: Occurrence, decision: Decision) -> dict[str, str]:
    done = {
        "environment": occurrence.environment,
        "event": occurrence.name,
        "action": str(decision.action),
        "why": decision.why,
    }
    say(**done)
    return done


def handle(event: dict[str, Any], _context: object) -> list[dict[str, str]]:
    """Lambda's entry; an exception has Lambda send an event of EventBridge again, twice."""
    return Guard(began=time.monotonic()).handle(event)
