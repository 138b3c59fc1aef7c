"""Following a deploy that somebody else runs, on an AWS in memory; what the others do happens while this one sleeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from deploy_world import World

from manuel_release.attach import attach
from manuel_release.errors import Pending, ReleaseError
from manuel_release.model.entry import EntryKind
from manuel_release.model.outcome import OutcomeStatus
from manuel_release.model.release import ReleaseState
from manuel_release.perform import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from manuel_release.model.outcome import DeployOutcome


class Others:
    """A deploy of r-2 that takes ten minutes in CloudFormation, by somebody whose process lives on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.later: list[tuple[float, Callable[[], Any]]] = []
        world.deploy()
        world.artifact("two")
        world.aws.stack_seconds = 600
        with pytest.raises(Pending):
            world.deploy(timeout=10.0)
        world.progress.notes.clear()
        world.progress.starts.clear()
        world.progress.ends.clear()
        self.lease = world.app().ledger.acquire("dev", "dev", "bea", "deploy", 3600, "hers")
        self.began = world.clock.at
        self.calls = list(world.aws.calls)

    def after(self, seconds: float, action: Callable[[], Any]) -> None:
        self.later.append((seconds, action))

    def ends(self, kind: EntryKind, **details: object) -> None:
        """What the other process does at its end: it writes down the outcome and gives the lease back."""
        app = self.world.app()
        Recorder(app, "dev", "dev", "r-2", "")(kind, **details)
        app.ledger.release(self.lease)

    def dies(self) -> None:
        self.world.app().ledger.release(self.lease)

    def watched(self, timeout: float | None = None) -> DeployOutcome:
        app = self.world.app()
        sleep = app.sleep

        def sleeping(seconds: float) -> None:
            sleep(seconds)
            passed = (self.world.clock.at - self.began).total_seconds()
            for one in [one for one in self.later if one[0] <= passed]:
                self.later.remove(one)
                one[1]()

        app.sleep = sleeping  # type: ignore[method-assign]
        return attach(app, self.world.progress, timeout)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path / "artifact", monkeypatch)


@pytest.fixture
def others(world: World) -> Others:
    return Others(world)


def test_a_deploy_is_followed_until_it_is_live(others: Others) -> None:
    others.after(700, lambda: others.ends(EntryKind.RELEASE_LIVE))

    outcome = others.watched()

    assert (outcome.release, outcome.status) == ("r-2", OutcomeStatus.LIVE)
    assert others.world.progress.starts == ["Follow r-2: CloudFormation", "Follow r-2 to its end"]
    assert [one.status for one in others.world.progress.ends] == ["done", "done"]


def test_what_cloudformation_does_is_told_once(others: Others) -> None:
    others.after(700, lambda: others.ends(EntryKind.RELEASE_LIVE))
    text = "update complete: manuel-usage-dev (AWS::Lambda::Function)"

    others.watched()

    assert others.world.progress.notes.count(text) == 1


def test_the_running_templates_own_sentences_are_used(others: Others) -> None:
    others.world.aws.stacks.texts["manuel-dev"] = (others.world.folder / "packaged-template.yaml").read_text()
    others.after(700, lambda: others.ends(EntryKind.RELEASE_LIVE))

    others.watched()

    assert "update complete: A function that answers GET /health." in others.world.progress.notes


def test_signs_of_the_later_steps_are_told(others: Others) -> None:
    def publish() -> None:
        for name, function in others.world.aws.functions.all.items():
            function.versions["2"] = "r-2"
            others.world.aws.functions.create_alias(name, "r-2", "2", "")
        others.world.aws.gateway.write_variables("api1", "dev", {"current": "r-2"})

    others.after(650, publish)
    others.after(700, lambda: others.ends(EntryKind.RELEASE_LIVE))

    others.watched()

    assert "r-2 is published on 2 of 2 functions" in others.world.progress.notes
    assert "the API's stage says current=r-2" in others.world.progress.notes


def test_nothing_is_changed(others: Others) -> None:
    others.after(700, lambda: others.ends(EntryKind.RELEASE_LIVE))
    entries = len(others.world.kinds())

    others.watched()

    assert others.world.aws.calls == others.calls
    assert len(others.world.kinds()) == entries + 1  # the other's own


def test_a_release_that_is_staged_is_told_as_such(others: Others) -> None:
    others.after(700, lambda: others.ends(EntryKind.RELEASE_STAGED))

    assert others.watched().status is OutcomeStatus.STAGED


def test_a_deploy_that_fails_is_a_failure_here_too(others: Others) -> None:
    others.after(700, lambda: others.ends(EntryKind.DEPLOY_FAILED, step="Smoke-test", message="r-2 answered 500"))

    with pytest.raises(ReleaseError, match="r-2 failed: r-2 answered 500") as failed:
        others.watched()

    assert failed.value.exit_code == 1
    assert others.world.progress.ends[-1].status == "failed"


def test_a_release_that_was_taken_back_is_a_failure(others: Others) -> None:
    others.after(700, lambda: others.ends(EntryKind.TRAFFIC_RETURNED, to="r-1", message="the URL does not answer"))

    with pytest.raises(ReleaseError, match="the URL does not answer"):
        others.watched()


def test_time_that_is_up_is_pending_and_names_the_command_again(others: Others) -> None:
    with pytest.raises(Pending, match="r-2 is still being deployed") as ended:
        others.watched(timeout=30.0)

    assert (others.world.clock.at - others.began).total_seconds() == pytest.approx(30)
    assert "`manuel-release deploy --env dev --attach`" in ended.value.hint


def test_cloudformation_is_followed_after_the_process_died_and_then_nobody_goes_on(others: Others) -> None:
    others.after(5, others.dies)

    with pytest.raises(Pending, match="nobody works on r-2 any more") as ended:
        others.watched()

    assert (others.world.clock.at - others.began).total_seconds() > 500
    assert "`manuel-release deploy --env dev` goes on with it" in ended.value.hint
    assert others.world.states()["r-2"] is ReleaseState.DEPLOYING


def test_an_outcome_that_is_written_before_the_lease_is_given_back_is_never_missed(
    others: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever watches reads the lease first: between the two reads the other process may end."""
    others.world.clock.sleep(700)
    app_ledger = type(others.world.app().ledger)
    lease = app_ledger.lease

    def then_it_ends(ledger: Any, *where: str) -> Any:
        found = lease(ledger, *where)
        if found is not None:
            others.ends(EntryKind.RELEASE_LIVE)
        return found

    monkeypatch.setattr(app_ledger, "lease", then_it_ends)

    assert others.watched().status is OutcomeStatus.LIVE


def test_where_nothing_runs_that_is_said(world: World) -> None:
    world.deploy()

    outcome = attach(world.app(), world.progress, None)

    assert (outcome.status, outcome.release) == (OutcomeStatus.NOTHING_TO_DO, "r-1")
    assert outcome.message == "no deploy runs in dev; r-1 is live"


def test_where_nothing_was_ever_deployed_that_is_said(world: World) -> None:
    assert attach(world.app(), world.progress, None).message == "no deploy runs in dev"


def test_an_operation_that_no_deploy_began_is_followed_too(world: World) -> None:
    world.deploy()
    stacks = world.aws.stacks
    request = {"stack": "manuel-dev", "parameters": {"ReleaseId": "r-1"}}
    world.aws.stack_seconds = 60
    stacks.change_sets["by-hand"] = request
    stacks.execute("by-hand", "another-token")

    outcome = attach(world.app(), world.progress, None)

    assert outcome.message == "manuel-dev is UPDATE_COMPLETE; no deploy in the ledger began that"
    assert "update complete: manuel-usage-dev (AWS::Lambda::Function)" in world.progress.notes


def test_an_operation_that_no_deploy_began_and_that_fails_says_why(world: World) -> None:
    world.deploy()
    stacks = world.aws.stacks
    world.aws.stack_seconds, world.aws.stack_fault = 60, "The role is wrong"
    stacks.change_sets["by-hand"] = {"stack": "manuel-dev", "parameters": {}}
    stacks.execute("by-hand", "another-token")

    with pytest.raises(ReleaseError, match="The role is wrong"):
        attach(world.app(), world.progress, None)


def test_an_older_release_that_never_ended_is_not_followed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.deploy()
    world.artifact("two")
    with monkeypatch.context() as stopping:
        stopping.setattr(world.aws.functions, "publish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            world.deploy()
    world.artifact("three")
    world.deploy()

    assert attach(world.app(), world.progress, None).message == "no deploy runs in dev; r-3 is live"
