"""When a canary is not moved, and what is said then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from manuel_release import observing
from manuel_release.errors import AccessError, Refused
from manuel_release.model.canary_change import Answer, ChangeStatus
from manuel_release.model.entry import EntryKind, Freeze, Quarantine
from manuel_release.model.people import People
from manuel_release.model.traffic import Alias, Canary


def put(world, **changes) -> None:
    world.aws.gateway.stages["api1"] = replace(world.stage, **changes)


def refused(do, *words: str) -> Refused:
    with pytest.raises(Refused) as caught:
        do()
    for word in words:
        assert word in caught.value.message + caught.value.hint
    return caught.value


def test_a_promotion_without_enough_requests_waits_for_the_verdict(world) -> None:
    world.start()
    world.wait(60)

    assert refused(world.promote, "the verdict on r-2 is cannot tell yet", "--override REASON").passing
    assert world.stage.canary == Canary(10.0, "r-2")


def test_a_bad_canary_is_not_promoted_and_the_way_back_is_named(world) -> None:
    world.start()
    world.traffic.bad_percent = 20.0
    world.good()

    assert not refused(world.promote, "the verdict on r-2 is bad", "manuel-release rollback --env production").passing


def test_somebody_on_call_overrides_the_verdict_and_it_is_recorded(world) -> None:
    world.start()
    world.wait(60)

    outcome = world.promote(override="the fix cannot wait")

    assert outcome.percent == 50.0
    details = world.entries()[-1].details
    assert (details["override"], details["verdict"]) == ("the fix cannot wait", "cannot tell yet")


def test_nobody_else_overrides_it(world) -> None:
    world.people = People()
    world.start()
    world.wait(60)

    refused(lambda: world.promote(override="please"), "is not on call", "people.on_call")
    assert world.stage.canary == Canary(10.0, "r-2")


def test_an_override_that_was_not_needed_is_said_and_not_recorded(world) -> None:
    world.start()
    world.good()
    world.promote(override="just in case")

    assert "nothing here needs it" in " ".join(world.plans[-1].notes)
    assert "override" not in world.entries()[-1].details


@pytest.mark.parametrize("percent", [25.0, 100.0])
def test_a_step_is_not_skipped_by_mistake(world, percent) -> None:
    world.start()
    world.good()

    refused(lambda: world.promote(percent), "is not the next step of production, which is 50 %", "--allow-step")


def test_a_step_of_ones_own_is_possible_when_it_is_meant(world) -> None:
    world.start(percent=5.0, allow_step=True)
    assert world.stage.canary == Canary(5.0, "r-2")
    world.good()

    assert world.promote(25.0, allow_step=True).percent == 25.0


def test_a_promotion_takes_nothing_away(world) -> None:
    world.start()
    world.good()

    refused(lambda: world.promote(5.0, allow_step=True), "would take some of it away", "canary abort")


def test_a_frozen_environment_keeps_its_canary_and_may_end_it(world) -> None:
    world.start()
    world.good()
    world.app().ledger.freeze(Freeze("production", "bob", "peak season", world.clock.at))

    refused(world.promote, "frozen by bob since", ": peak season", 'freeze off --env production --reason "WHY"')
    assert world.abort().status is ChangeStatus.DONE


def test_code_in_quarantine_gets_no_canary(world) -> None:
    (release,) = [r for r in world.app().ledger.entries("production") if r.kind is EntryKind.RELEASE_STAGED]
    started = next(e for e in world.entries() if e.kind is EntryKind.DEPLOY_STARTED and e.release == release.release)
    quarantine = Quarantine(started.details["code_digest"], "r-9", "staging", "guard", "5xx", world.clock.at)
    world.app().ledger.quarantine(quarantine)

    refused(world.start, "rolled back as r-9 in staging: 5xx", "quarantine lift")
    assert world.stage.canary is None


def test_a_pinned_stage_is_a_rollback_that_did_not_end(world) -> None:
    put(world, variables={**world.stage.variables, "release": "r-1"})

    refused(world.start, "pinned to r-1", "manuel-release rollback --env production")


def holds_all(world) -> None:
    """r-2 has got 100 % a moment ago, and r-3 waits."""
    world.start()
    for _ in range(2):
        world.good()
        world.promote()
    world.artifact("three")
    world.deploy()
    world.wait(1)


def test_no_canary_is_started_while_the_release_with_100_percent_is_on_trial(world) -> None:
    holds_all(world)

    said = refused(world.start, "r-2 holds 100 % and is on trial until 20", " UTC", "Wait until then")
    assert world.stage.canary is None
    assert "canary watch --observe --env production" in said.hint

    world.wait(1800)
    assert world.start().release == "r-3"


def test_a_trial_that_its_observer_ended_as_proven_is_no_trial_any_more(world) -> None:
    holds_all(world)
    app = world.app()
    app.settings = replace(app.settings, canary_observe_seconds=(15.0, 15.0, 15.0))
    assert observing.observe(app, lambda _: None, lambda _: None, world.progress).exit_code == 0

    assert world.start().release == "r-3"


def test_a_release_that_lost_its_100_percent_is_on_trial_no_more(world) -> None:
    holds_all(world)
    put(world, variables={**world.stage.variables, "current": "r-1"})

    refused(world.start, "there would be no way back to r-1")  # `live` is not on it: that, and no trial


def test_a_canary_of_another_release_is_not_replaced(world) -> None:
    put(world, canary=Canary(10.0, "r-7"))

    refused(lambda: world.start(release="r-2"), "r-7 at 10 %", "canary abort")


def test_a_release_that_was_not_deployed_last_is_not_started(world) -> None:
    refused(lambda: world.start(release="r-1"), "r-1 is live, and a canary needs a staged one")
    put(world, variables={**world.stage.variables, "candidate": "r-3"})
    refused(lambda: world.start(release="r-2"), "r-3 is what was deployed last")


def test_a_function_without_the_alias_would_fail_requests(world) -> None:
    name = next(iter(world.aws.functions.all))
    del world.aws.functions.all[name].aliases["r-2"]

    refused(world.start, f"{name} has no alias r-2")


def test_an_alias_that_splits_traffic_by_itself_is_put_right_first(world) -> None:
    name = next(iter(world.aws.functions.all))
    world.aws.functions.all[name].aliases["live"] = Alias(name, "live", "1", weights={"2": 0.5})

    refused(world.start, f"`live` of {name} splits traffic", "manuel-release rollback")


def test_the_stable_releases_missing_alias_closes_the_way_back(world) -> None:
    name = next(iter(world.aws.functions.all))
    del world.aws.functions.all[name].aliases["r-1"]

    refused(world.start, "there would be no way back to r-1", f"{name} has no alias r-1")


def test_a_moved_alias_closes_the_way_back(world) -> None:
    name = next(iter(world.aws.functions.all))
    world.aws.functions.all[name].aliases["r-1"] = Alias(name, "r-1", "2")

    refused(world.start, f"alias r-1 of {name} names version 2, the ledger says 1")


def test_live_on_another_version_closes_the_way_back(world) -> None:
    name = next(iter(world.aws.functions.all))
    world.aws.functions.all[name].aliases["live"] = Alias(name, "live", "2")

    refused(world.start, f"`live` of {name} is version 2, and r-1 is version 1")


def test_a_deleted_execution_role_closes_the_way_back(world) -> None:
    name = next(iter(world.aws.functions.all))
    world.permissions.gone.add(f"arn:aws:iam::123456789012:role/{name}")

    refused(world.start, f"r-1 of {name} runs as", "does not exist any more")


@pytest.mark.parametrize("action", ["apigateway:PATCH", "codedeploy:StopDeployment", "lambda:UpdateAlias"])
def test_whoever_may_not_roll_back_does_not_begin(world, action) -> None:
    world.permissions.refused[action] = ("arn:one",)

    refused(world.start, f"ann may not {action} on arn:one")


def test_permissions_that_cannot_be_asked_about_are_said_as_unknown_and_stop_nothing(world) -> None:
    world.permissions.fault = AccessError("iam:SimulatePrincipalPolicy is not allowed")

    assert world.start().status is ChangeStatus.DONE
    unknown = world.plans[-1].way_back.unknown
    assert {check.answer for check in unknown} == {Answer.UNKNOWN}
    assert "SimulatePrincipalPolicy" in unknown[-1].sentence


def test_codedeploy_at_work_is_waited_for(world) -> None:
    world.start()
    world.good()
    name = next(iter(world.aws.functions.all))
    world.aws.codedeploy_seconds = 600.0
    world.aws.deployments.create(
        application="app",
        group=name,
        function=name,
        alias="live",
        current_version="1",
        target_version="2",
        config=None,
        alarms=None,
        description="by hand",
    )

    refused(world.promote, "CodeDeploy is moving aliases (d-")


def test_without_a_canary_there_is_nothing_to_promote_or_to_end(world) -> None:
    refused(world.promote, "production has no canary", "canary start")
    refused(world.abort, "production has no canary")


def test_two_operators_one_is_told_who_acts(world) -> None:
    ledger = world.app().ledger
    ledger.acquire("production", "dev", "bob (bob@desk)", "canary promote", 900, "other")

    refused(world.start, "bob (bob@desk)", "canary promote", "lease take")
    assert world.stage.canary is None


def test_a_dry_run_changes_nothing(world) -> None:
    before = len(world.entries())
    outcome = world.start(dry_run=True)

    assert outcome.status is ChangeStatus.PLANNED
    assert world.stage.canary is None
    assert world.aws.calls == []
    assert len(world.entries()) == before


def test_nobody_agreed(world) -> None:
    world.agrees = False

    assert world.start().status is ChangeStatus.PLANNED
    assert world.stage.canary is None


def test_an_extension_is_kept_and_looked_after_until_then(world) -> None:
    from manuel_release import canary  # noqa: PLC0415
    from manuel_release.model.canary_change import CanaryRequest  # noqa: PLC0415

    began = world.clock.at
    world.start()
    canary.extend(world.app(), CanaryRequest(reason="more traffic"), 600.0)

    last = world.entries()[-1]
    until = began + timedelta(seconds=900 + 600)
    assert last.kind is EntryKind.CANARY_EXTENDED
    assert last.details["until"] == until.isoformat()
    assert world.app().ledger.heartbeat("production", "dev").until == until
