"""What a rollback in dev does while `live` is on its way, where no canary tells which release is new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from deploy_world import World

from manuel_release import rollback
from manuel_release.errors import GateFailed, Pending, Refused, ReleaseError
from manuel_release.model.release import ReleaseState
from manuel_release.model.rollback import RollbackRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from manuel_release.app import App
    from manuel_release.model.rollback import Receipt
    from manuel_release.model.traffic import ApiStage


class Dev(World):
    """r-1 and r-2 held 100 %, and r-3 is about to be deployed."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder / "artifact", monkeypatch)
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        for code in ("one", "two", "three"):
            self.artifact(code)
            if code != "three":
                self.deploy()

    def app(self, **options: Any) -> App:
        app = super().app(**options)
        app.now = self._now  # type: ignore[method-assign]
        return app

    def _now(self) -> datetime:
        self.clock.sleep(0.001)  # two entries of the ledger are never of the same moment
        return self.clock.now()

    @property
    def stage(self) -> ApiStage:
        return self.aws.gateway.stages["api1"]

    def roll_back(self) -> Receipt:
        request = RollbackRequest(probe=False)
        return rollback.roll_back(self.app(), request, self.progress, lambda _: None, lambda *_: True)


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dev:
    return Dev(tmp_path, monkeypatch)


def dies(service: Any, call: str, after: int = 0) -> None:
    """The process ends at this call, when it was made so many times before."""
    real, made = getattr(service, call), list[object]()

    def once(*given: Any, **named: Any) -> Any:
        if len(made) == after:
            setattr(service, call, real)
            raise KeyboardInterrupt
        made.append(None)
        return real(*given, **named)

    setattr(service, call, once)


MOMENTS: dict[str, Callable[[Dev], None]] = {
    "before the stack": lambda dev: dies(dev.aws.stacks, "execute"),
    "after the stack": lambda dev: dies(dev.aws.functions, "publish"),
    "before the smoke test": lambda dev: dies(dev.aws.functions, "invoke"),
    "before the first move": lambda dev: dies(dev.aws.deployments, "create"),
    "after one move": lambda dev: dies(dev.aws.deployments, "create", after=1),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_rollback_takes_back_the_release_that_is_being_deployed_and_not_the_one_that_serves(
    dev: Dev, moment: str
) -> None:
    MOMENTS[moment](dev)
    with pytest.raises(KeyboardInterrupt):
        dev.deploy()
    dev.clock.sleep(3600)  # nobody holds the lease any more

    receipt = dev.roll_back()

    assert (receipt.from_release, receipt.to_release) == ("r-3", "r-2")
    assert dev.live() == {"r-2"}
    assert dev.states()["r-3"] is ReleaseState.ROLLED_BACK
    assert (dev.stage.serving, dev.stage.current, dev.stage.candidate) == ("live", "r-2", None)


def test_a_deploy_that_still_runs_moves_nothing_after_a_rollback(dev: Dev) -> None:
    invoke = dev.aws.functions.invoke

    def rolled_back_meanwhile(*given: object) -> object:
        dev.aws.functions.invoke = invoke  # type: ignore[method-assign]
        dev.roll_back()
        return invoke(*given)

    dev.aws.functions.invoke = rolled_back_meanwhile  # type: ignore[method-assign]
    with pytest.raises(Refused, match="`live` is not moved to r-3"):
        dev.deploy()

    assert dev.live() == {"r-2"}
    assert dev.aws.deployments.active("app", "manuel-health-dev") == ()
    assert dev.states()["r-3"] is ReleaseState.ROLLED_BACK
    assert (dev.stage.current, dev.stage.previous) == ("r-2", "r-1")


@pytest.mark.parametrize("fault", ["stack", "smoke"])
def test_a_release_that_failed_without_traffic_is_no_candidate(dev: Dev, fault: str) -> None:
    if fault == "stack":
        dev.aws.stack_fault = "Resource handler returned message: no"
    else:
        dev.aws.broken = {"manuel-health-dev"}
    with pytest.raises(ReleaseError):
        dev.deploy()

    assert dev.stage.variables["candidate"] == "none"
    assert dev.states()["r-3"] is ReleaseState.FAILED
    receipt = dev.roll_back()
    assert (receipt.from_release, receipt.to_release) == ("r-2", "r-1")


def test_an_update_that_fails_while_it_is_followed_leaves_no_candidate(dev: Dev) -> None:
    dev.aws.stack_seconds = 600.0
    with pytest.raises(Pending):
        dev.deploy(timeout=60.0)
    assert dev.stage.candidate == "r-3"

    dev.aws.stack_fault = "The role is wrong"
    with pytest.raises(ReleaseError, match="The role is wrong"):
        dev.deploy()

    assert dev.stage.candidate is None


def test_a_release_that_is_live_is_no_candidate_any_more(dev: Dev) -> None:
    dev.deploy()

    assert dev.stage.variables["candidate"] == "none"
    assert (dev.stage.current, dev.stage.previous) == ("r-3", "r-2")
    receipt = dev.roll_back()
    assert (receipt.from_release, receipt.to_release) == ("r-3", "r-2")


def test_after_a_release_was_taken_back_by_its_deploy_a_rollback_leaves_the_one_that_serves(
    dev: Dev, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = dev._answer

    def only_the_old_one_answers(url: str, timeout: float = 0) -> object:
        dev.health_is_up = dev.live() == {"r-2"}
        return answer(url, timeout)

    monkeypatch.setattr("manuel_release.apply.stage.ask", only_the_old_one_answers)
    with pytest.raises(GateFailed):
        dev.deploy()

    assert dev.stage.candidate is None
    receipt = dev.roll_back()
    assert (receipt.from_release, receipt.to_release) == ("r-2", "r-1")
