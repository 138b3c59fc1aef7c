"""Who may decide on what, and when a decision holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from manuel_release.model.approval import GATES, Choice, Decision, Package
from manuel_release.model.entry import Entry, EntryKind
from manuel_release.model.people import People
from manuel_release.model.pipeline import ActionRun, ActionState, ExecutionStatus, PipelineState, StageState
from manuel_release.plan import approval as plan

AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
USER = "arn:aws:iam::123456789012:user/"
ANN, BOB, EVE = f"{USER}ann", f"{USER}bob", f"{USER}eve"
PEOPLE = People(
    devops=(ANN, EVE), product=(BOB, EVE), authors={"eve@example.com": EVE, "dan@example.com": f"{USER}dan"}
)
PACKAGE = Package(
    "production", "e1", "9d01c22", "dan@example.com", "c" * 64, "12 tests, 0 failed.", {"tests": {"a": 1}}
)
GATE = GATES["production"]
HASH = plan.package_hash(PACKAGE)
REQUEST = Decision("production", plan.REQUESTED, "", HASH, "", "e1", "arn:build", AT)


def decided(approver, role="devops", package=PACKAGE, gate=GATE, **more):
    return plan.decide(approver, role, PEOPLE, package, gate, **{"shown": plan.package_hash(package), **more})


def run(action, by, *, minutes=5, status=ExecutionStatus.SUCCEEDED, stage="ProductionApproval"):
    at = AT + timedelta(minutes=minutes)
    return ActionRun("e1", stage, action, "Approval", status, AT, at, by)


BOTH = (run("DevOps", ANN), run("Product", BOB))


def checked(runs=BOTH, known=(REQUEST,), package=PACKAGE, *, digest="c" * 64):
    return plan.check(GATE, package, runs, known, PEOPLE, code_digest=digest)


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    one = replace(PACKAGE, parts={"a": 1, "b": {"c": 2, "d": 3}})
    other = replace(PACKAGE, parts={"b": {"d": 3, "c": 2}, "a": 1})

    assert plan.package_hash(one) == plan.package_hash(other)


@pytest.mark.parametrize(
    "change",
    [
        {"commit": "other"},
        {"author": "x@example.com"},
        {"code_digest": "d" * 64},
        {"execution_id": "e2"},
        {"gate": "canary"},
        {"summary": "other"},
        {"parts": {"tests": {"a": 2}}},
    ],
)
def test_whatever_moves_moves_the_hash(change) -> None:
    assert plan.package_hash(replace(PACKAGE, **change)) != HASH


def test_a_package_that_is_stored_is_read_as_it_was() -> None:
    assert plan.read(plan.canonical(PACKAGE)) == PACKAGE


@pytest.mark.parametrize("text", [b"no", b"[]", b'{"gate": "production"}'])
def test_what_is_no_package_is_not_read(text) -> None:
    with pytest.raises(ValueError, match=r"."):
        plan.read(text)


def test_whoever_has_the_role_and_did_not_write_it_may_approve() -> None:
    assert decided(ANN) is None
    assert decided(BOB, "product") is None


def test_the_wrong_role_is_refused() -> None:
    assert "does not have the role devops" in decided(BOB).reason


def test_a_role_that_the_gate_does_not_ask_is_refused() -> None:
    assert "does not ask product; it asks devops" in decided(BOB, "product", gate=GATES["canary"]).reason


def test_the_author_may_not_approve() -> None:
    assert "wrote this change" in decided(EVE, package=replace(PACKAGE, author="Eve@Example.com")).reason


@pytest.mark.parametrize("author", ["", "nobody@example.com"])
def test_an_author_whom_nobody_knows_cannot_be_told_from_the_approver(author) -> None:
    assert "nobody knows which principal" in decided(ANN, package=replace(PACKAGE, author=author)).reason


def test_what_was_shown_must_be_what_waits() -> None:
    assert "is not what was shown" in decided(ANN, shown="f" * 64).reason


def test_only_the_canarys_gate_offers_all_of_the_traffic() -> None:
    assert "full cannot be chosen" in decided(ANN, choice=Choice.FULL).reason
    assert decided(ANN, gate=GATES["canary"], choice=Choice.FULL) is None


def test_two_approvals_of_the_package_let_the_next_action_go_on() -> None:
    assert checked() is None


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (BOTH[:1], "ProductionApproval/Product is not approved"),
        ((BOTH[0], run("Product", BOB, status=ExecutionStatus.FAILED)), "ProductionApproval/Product is not approved"),
        ((BOTH[0], run("Product", ANN)), "without the role product"),
        ((BOTH[0], run("Product", "")), "nobody known approved"),
        ((run("DevOps", EVE), run("Product", EVE)), "it takes two people"),
        ((run("DevOps", ANN, minutes=-1), BOTH[1]), "before the package was put together"),
    ],
)
def test_an_approval_that_does_not_hold_stops_the_next_action(runs, words) -> None:
    assert words in checked(runs).reason


def test_an_approval_in_the_console_by_the_author_does_not_hold() -> None:
    runs = (run("DevOps", EVE), BOTH[1])
    package = replace(PACKAGE, author="eve@example.com")
    known = (replace(REQUEST, package_hash=plan.package_hash(package)),)

    assert "wrote this change" in checked(runs, known, package).reason


def test_a_package_that_moved_voids_the_approval() -> None:
    moved = replace(PACKAGE, parts={"tests": {"a": 2}})

    assert "not the one that people were asked about" in checked(package=moved).reason
    assert "not the one that people were asked about" in checked(known=()).reason


def test_another_build_voids_the_approval() -> None:
    assert "people approved the build cccccccccccc, and this is dddddddddddd" in checked(digest="d" * 64).reason


def test_an_approval_of_another_package_does_not_hold() -> None:
    other = Decision("production", plan.APPROVED, "devops", "f" * 64, "proceed", "e1", ANN, AT)

    assert "approved another package" in checked(known=(REQUEST, other)).reason


def test_a_rejection_in_the_ledger_holds_against_the_console() -> None:
    no = Decision("production", plan.REJECTED, "devops", "", "rollback", "e1", ANN, AT)

    assert "rejected ProductionApproval/DevOps" in checked(known=(REQUEST, no)).reason


def test_the_last_word_of_the_ledger_counts() -> None:
    no = Decision("production", plan.REJECTED, "devops", "", "rollback", "e1", ANN, AT)
    yes = Decision("production", plan.APPROVED, "devops", HASH, "proceed", "e1", ANN, AT)

    assert checked(known=(REQUEST, no, yes)) is None


def entry(**details):
    return Entry("i", "production", "", AT, EntryKind.APPROVAL, "", "ann (laptop)", "", details)


def test_decisions_are_those_of_the_gate_and_the_execution() -> None:
    mine = entry(gate="canary", execution_id="e1", decision="approved", role="devops", principal=ANN)
    others = (entry(gate="final", execution_id="e1"), entry(gate="canary", execution_id="e2"))
    deploy = replace(mine, kind=EntryKind.DEPLOY_STARTED)

    (found,) = plan.decisions((mine, *others, deploy), "canary", "e1")

    assert (found.decision, found.role, found.by) == ("approved", "devops", ANN)


def share(*known, by=ANN):
    return plan.percent(GATES["canary"], (run("DevOps", by, stage="CanaryApproval"),), (REQUEST, *known), 50)


def test_the_share_is_what_the_gate_chose() -> None:
    full = Decision("canary", plan.APPROVED, "devops", HASH, "full", "e1", ANN, AT)

    assert share(full) == 100
    assert share(replace(full, choice="proceed")) == 50
    assert share(full, replace(full, choice="proceed")) == 50
    assert share(replace(full, decision=plan.EXTENDED)) == 50
    assert share() == 50


def test_a_choice_of_somebody_whose_approval_was_not_taken_does_not_count() -> None:
    full = Decision("canary", plan.APPROVED, "devops", HASH, "full", "e1", ANN, AT)

    assert share(full, by=EVE) == 50


def test_what_waits_is_found_by_gate_and_role() -> None:
    waits = ActionState("Product", ExecutionStatus.IN_PROGRESS, token="t", changed_at=AT)
    done = ActionState("DevOps", ExecutionStatus.SUCCEEDED, token="old")
    state = PipelineState("p", (StageState("ProductionApproval", execution_id="e1", actions=(done, waits)),))

    (found,) = plan.pending(state)

    assert (found.gate.name, found.role, found.execution_id, found.token) == ("production", "product", "e1", "t")
