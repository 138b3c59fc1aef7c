"""A package as the person sees it who decides: documents that the other commands write, and what is left of them."""

from __future__ import annotations

import copy
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from unit.view.test_canary import counts, judged

from manuel_release.flow import PlanRefused
from manuel_release.gates.quality import Counts, Evidence, Stage, decide, summary
from manuel_release.model.approval import Decision, Package
from manuel_release.model.outcome import DeployOutcome, OutcomeStatus
from manuel_release.model.stack import Action, Change, ChangeSet, PropertyChange, Replacement
from manuel_release.plan.changes import judge, refusal
from manuel_release.settings import Settings
from manuel_release.view import as_json, canary_json
from manuel_release.view.approval import PackageScreen, package_json
from manuel_release.view.canary_change_json import observed
from manuel_release.view.quality import document

if TYPE_CHECKING:
    from collections.abc import Iterator

HASH = "d" * 64
GATES = decide(
    Evidence(Counts(437), 99.2, Counts(70, skipped=69), Counts(1, skipped=1, reasons=("could not be asked: " * 9,))),
    Stage.BUILD,
)
QUALITY = document(GATES, "production", summary(GATES))
TESTS = {
    "Staging/chaos": {"tests": 12, "failed": 2, "skipped": 0},
    "build/audit": {"tests": 1, "failed": 0, "skipped": 1},
    "build/unit-tests": {"tests": 1437, "failed": 0, "skipped": 3},
}
CODE = Change(
    Action.MODIFY,
    "QueryFunction",
    "manuel-query-prod",
    "AWS::Lambda::Function",
    properties=("Code", "Environment"),
    description="A function that answers questions from a user's manuals.",
    details=(PropertyChange("Code", "Code/S3Key", "builds/1", "builds/2"),),
)


class End:
    environment, release, exit_code = "production", "r-13", 0
    message = "r-13 is good: The canary is not worse."
    next_command = "manuel-release canary promote --env production"


def package(gate: object = "production", /, summary: object = "12 tests, 0 failed.", **parts: Any) -> Package:
    named = {name.replace("_", "-"): part for name, part in parts.items()}
    return Package(gate, "e1", "9d01c22", "dan@example.com", "c" * 64, summary, named)


def screen(gate: object = "production", /, **parts: Any) -> PackageScreen:
    return PackageScreen(package(gate, **parts), HASH, ())


def change_set(plan, *changes, **other):
    found = ChangeSet("arn:change-set", "manuel-prod", changes, values=True)
    planned = replace(plan, change_set=found, changes=judge(found), **other)
    outcome = DeployOutcome("production", "v1", "r-13", OutcomeStatus.PLANNED, previous="r-12", plan=planned)
    return as_json.deployed(outcome)


def observation():
    status = judged([(counts(1800, slow=180), counts(200, slow=20)) for _ in range(60)])
    return {**observed(End()), "canary": canary_json.canary(status)}


@pytest.fixture
def parts(plan):
    """All the known parts, as the commands write them."""
    return {
        "quality": QUALITY,
        "tests": TESTS,
        "change-set": as_json.deployed(
            DeployOutcome("production", "v1", "r-13", OutcomeStatus.PLANNED, previous="r-12", plan=plan)
        ),
        "observation": observation(),
    }


def test_the_package_of_production(golden, parts, now) -> None:
    requested = Decision("production", "requested", "", HASH, "", "e1", "arn:aws:sts::1:assumed-role/Package/b1", now)
    del parts["observation"]

    golden("approval-production", PackageScreen(package(**parts), HASH, (requested,)))


def test_the_package_of_a_canary(golden, plan) -> None:
    golden("approval-canary", screen("canary", quality=QUALITY, change_set=change_set(plan, CODE), tests=TESTS,
                                     observation=observation()))  # fmt: skip


def test_the_package_of_a_change_that_would_be_refused(golden, plan) -> None:
    table = Change(Action.REMOVE, "UsageTable", "manuel-usage", "AWS::DynamoDB::Table", description="A table of usage.")
    judged_ = judge(found := ChangeSet("arn:change-set", "manuel-prod", (table, CODE)))
    no = refusal(judged_, "", Settings().environment("production"), "eu-west-1")
    refused = PlanRefused(replace(plan, change_set=found, changes=judged_, refusal=no), no)

    golden("approval-refused", screen(change_set=as_json.refused(refused, refused.plan)))


def test_what_everybody_shares_is_marked_and_comes_before_code(drawn, parts) -> None:
    text = drawn(screen(change_set=parts["change-set"]), "120")

    assert text.index("◷ Shared: for everybody") < text.index("UsageTable") < text.index("Functions: users meet this")
    assert text.index("Functions: users meet this") < text.index("HealthFunction")


def test_a_change_of_code_is_one_line_without_what_differs(drawn, plan) -> None:
    text = drawn(
        screen(
            change_set=change_set(
                plan,
                CODE,
            ),
            tests=TESTS,
        ),
        "pipe",
    )

    assert "  ~ modify  A function that answers questions from a user's manuals  QueryFunction\n\n" in text
    assert "builds/1" not in text
    assert "`--output json` shows all of it, and what differs in each change." in text


def test_a_change_of_permissions_an_addition_and_a_replacement_are_told(drawn, plan) -> None:
    role = Change(Action.MODIFY, "Role", "r", "AWS::IAM::Role", properties=("Policies",), scope=("Properties",))
    text = drawn(screen(change_set=change_set(plan, role, *plan.change_set.changes)), "pipe")

    assert "  IAM: changes who may do what; in Policies\n" in text
    assert "data: only adds\n" in text
    assert "permissions: is replaced by a new one; IAM: changes who may do what; in SourceArn\n" in text
    assert "alarms: is deleted\n" in text
    assert text.count("is replaced by a new one") == 1


def test_a_replacement_that_nobody_objects_to_is_told_all_the_same(drawn, plan) -> None:
    alarm = Change(
        Action.MODIFY, "Alarm", "a", "AWS::CloudWatch::Alarm", Replacement.YES, ("AlarmName",), ("Properties",)
    )

    assert "     is replaced by a new one; in AlarmName\n" in drawn(screen(change_set=change_set(plan, alarm)), "80")


def test_a_reason_that_overrides_is_told(drawn, plan) -> None:
    text = drawn(screen(change_set=change_set(plan, CODE, override="the table is empty")), "pipe")

    assert "Overridden  shared changes may be breaking: the table is empty\n" in text


def test_what_could_not_be_computed_is_told_with_the_way_out(drawn) -> None:
    text = drawn(screen(change_set={"not_computed": "a canary runs", "hint": "Wait for it."}), "80")

    assert "◷ Change set: what would change\n" in text
    assert "Way out     Wait for it.\n" in text
    assert "Not known   a canary runs\n" in text


def test_a_first_release_is_told_by_types(drawn) -> None:
    resources = [{"logical_id": f"R{n}", "type": "AWS::SNS::Topic", "description": ""} for n in range(3)]
    made = {"environment": "dev", "not_computed": "all of this is new", "resources": resources}
    text = drawn(screen(change_set=made), "80")

    assert "is created with 3 resources" in text
    assert "+  3  AWS::SNS::Topic" in text


def test_a_deploy_that_has_nothing_to_do_says_so(drawn) -> None:
    end = DeployOutcome("production", "v1", "r-14", OutcomeStatus.NOTHING_TO_DO, message="r-14 runs already")

    assert "r-14 runs already" in drawn(screen(change_set=as_json.deployed(end)), "80")


def test_a_report_with_failures_is_first_and_one_in_which_nothing_ran_is_marked(drawn) -> None:
    lines = [" ".join(line.split()) for line in drawn(screen(tests=TESTS), "80").splitlines()]
    start = lines.index("✖ Tests: 1,450 in 3 reports, 2 failed, 4 skipped")

    assert lines[start + 1 : start + 6] == [
        "REPORT TESTS FAILED SKIPPED",
        "✖ failed Staging/chaos 12 2 0",
        "◷ nothing ran build/audit 1 0 1",
        "✔ passed build/unit-tests 1,437 0 3",
        "✖ failed total 1,450 2 4",
    ]


def test_what_failed_is_red_and_what_one_should_know_is_yellow() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=80)
    console.print(screen(quality=QUALITY, tests=TESTS))
    text = console.file.getvalue()

    assert "\x1b[31mStaging/chaos" in text
    assert "\x1b[33mDependencies" in text
    assert "\x1b[31mbuild/unit-tests" not in text


def test_no_report_at_all_is_not_green(drawn) -> None:
    assert "◷ Tests: there is no report\n" in drawn(screen(tests={}), "80")


@pytest.mark.parametrize(
    ("changed", "sign"),
    [({}, "◷"), ({"gates": QUALITY["gates"][:1]}, "✔"), ({"good_enough": False}, "✖"), ({"good_enough": None}, "◷")],
)
def test_quality_is_green_only_when_everything_passed(drawn, changed, sign) -> None:
    assert f"{sign} Quality: " in drawn(screen(quality={**QUALITY, **changed}), "80")


def test_a_red_gate_makes_quality_red_whatever_else_the_document_says(drawn) -> None:
    gates = [{"name": "Unit tests", "state": "failed", "why": "", "target": ""}]

    assert "✖ Quality: fine" in drawn(screen(quality={"good_enough": True, "summary": "fine", "gates": gates}), "80")


@pytest.mark.parametrize(
    ("word", "sign"), [("good", "✔"), ("rolled_back", "✖"), ("cannot_tell_yet", "◌"), ("another", "•")]
)
def test_an_observation_has_the_mark_of_its_end(drawn, word, sign) -> None:
    text = drawn(screen("canary", observation={**observation(), "observed": word}), "pipe")

    assert f"{sign} Observation: r-13 is good" in text
    assert ("canary promote" in text) == (word != "good")


def test_what_is_wrong_with_a_canary_is_on_the_screen(drawn) -> None:
    made = observation()
    made["canary"] |= {"drift": "somebody moved it", "doubts": ["counts are late"]}
    made["canary"]["verdict"] |= {"hold": True, "investigate": ["look at the split"], "missing_requests": 1236,
                                  "breaches": [{"sentence": "it breaks a limit"}]}  # fmt: skip
    text = drawn(screen("canary", observation=made), "80")

    for told in ("somebody moved it", "counts are late", "A shared incident forbids promotion.", "look at the split",
                 "it breaks a limit", "1,236 canary requests until good"):  # fmt: skip
        assert told in text


def test_an_observation_with_nothing_to_observe_is_its_sentence(drawn) -> None:
    text = drawn(
        screen("final", observation={"status": "nothing_to_do", "message": "r-1 serves", "release": "r-1"}), "80"
    )

    assert "✔ Observation: r-1 serves\n" in text


def test_each_role_that_has_not_approved_gets_its_command_last(drawn, now) -> None:
    def given(role: str, digest: str = HASH) -> Decision:
        return Decision("production", "approved", role, digest, "proceed", "e1", "ann", now)

    command = f"  Next: `manuel-release approval approve --gate production --role {{}} --package {HASH}`"

    def last(*decisions: Decision) -> list[str]:
        lines = drawn(PackageScreen(package(), HASH, decisions), "pipe").splitlines()
        return [line for line in lines if "approval approve" in line and line in lines[-2:]]

    assert last() == [command.format("devops"), command.format("product")]
    assert last(given("devops")) == [command.format("product")]
    assert last(given("devops", "f" * 64)) == [command.format("devops"), command.format("product")]
    assert len(last(given("devops"), given("product"))) == 2


def test_a_command_on_two_lines_is_one_to_a_shell(stream) -> None:
    from manuel_release.view.console import Screen  # noqa: PLC0415

    out = stream(terminal=True)
    Screen(out, stream(), width=80, no_color=True).show(screen("canary"))

    assert out.getvalue().endswith(f"approve --gate canary --role devops \\\n    --package {HASH}`\n")


def test_a_canarys_other_choices_are_named_and_an_unknown_gates_role_is_not_guessed(drawn) -> None:
    assert "`--choice full` or `--choice extend`" in drawn(screen("canary"), "80")
    assert "--choice" not in drawn(screen("production"), "80")
    assert "approve --gate 'a;b' --role ROLE --package" in drawn(screen("a;b"), "pipe")


def test_a_part_that_nobody_knows_is_shown_as_it_is(drawn) -> None:
    assert '\nverdict\n  {\n    "value": "good"\n  }\n' in drawn(screen(verdict={"value": "good"}), "80")


def test_a_document_of_a_newer_version_is_shown_as_it_is(drawn, parts) -> None:
    del parts["tests"]
    for name, part in parts.items():
        assert f"\n{name}\n  {{\n" in drawn(screen(**{name: {**part, "schema_version": 2}}), "80")


@pytest.mark.parametrize("name", ["quality", "change-set", "observation"])
def test_a_member_that_a_newer_version_added_is_shown_below(drawn, parts, name) -> None:
    text = drawn(screen(**{name: {**parts[name], "news": "odd"}}), "80")

    assert 'Also in it:\n  {\n    "news": "odd"\n  }\n' in text
    assert "Also in it" not in drawn(screen(**parts), "80")


def test_a_member_that_a_newer_version_added_to_the_plan_is_shown_below(drawn, parts) -> None:
    parts["change-set"]["plan"]["news"] = "odd"

    assert '"plan": {\n      "news": "odd"\n    }' in drawn(screen(**parts), "80")


def members(value: object, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each member of a document, of lists the first item's only."""
    inside = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, one in inside:
        yield (*way, key)
        yield from members(one, (*way, key))


def with_member(document_: dict[str, Any], way: tuple[Any, ...], value: object) -> dict[str, Any]:
    changed = copy.deepcopy(document_)
    inner = changed
    for key in way[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[way[-1]]
    else:
        inner[way[-1]] = value
    return changed


DECIDES = [
    ("quality", "gates"),
    ("quality", "gates", 0),
    ("quality", "gates", 0, "state"),
    ("quality", "gates", 0, "name"),
    ("quality", "gates", 0, "why"),
    ("quality", "good_enough"),
    ("quality", "summary"),
    ("tests", "build/audit"),
    ("tests", "build/audit", "failed"),
    ("change-set", "release"),
    ("change-set", "previous_release"),
    ("change-set", "environment"),
    ("change-set", "plan"),
    ("change-set", "plan", "refusal"),
    ("change-set", "plan", "warnings"),
    ("change-set", "plan", "override_shared"),
    ("change-set", "plan", "serves_at_end"),
    ("change-set", "plan", "creates_stack"),
    ("change-set", "plan", "changes"),
    ("change-set", "plan", "changes", 0),
    *(
        ("change-set", "plan", "changes", 0, key)
        for key in ("action", "logical_id", "area", "effect", "iam", "replacement", "objection", "description")
    ),
    ("observation", "message"),
    ("observation", "observed"),
    ("observation", "canary"),
    ("observation", "canary", "verdict"),
    ("observation", "canary", "verdict", "breaches"),
    ("observation", "canary", "doubts"),
    ("observation", "canary", "drift"),
    ("observation", "canary", "arms"),
    ("observation", "canary", "arms", "canary", "errors_5xx"),
    ("observation", "canary", "worst_case"),
    ("observation", "canary", "blast_radius", "canary_failures"),
]
ODD = (["odd"], "odd", None, float("nan"), 10**400, ...)


@pytest.mark.parametrize("odd", ODD, ids=lambda one: str(one)[:12])
@pytest.mark.parametrize("name", ["quality", "tests", "change-set", "observation"])
def test_no_member_of_another_type_and_no_missing_one_stops_the_screen(drawn, parts, name, odd) -> None:
    for way in members(parts[name]):
        text = drawn(screen("canary", **{name: with_member(parts[name], way, odd)}), "120")

        assert text.endswith(f"--package {HASH}`\n"), way


@pytest.mark.parametrize("odd", [["odd", 1], {"odd": 1, "schema_version": 2}], ids=["list", "object"])
@pytest.mark.parametrize("way", DECIDES, ids=lambda way: "/".join(map(str, way)))
def test_a_part_with_a_member_of_another_type_is_shown_as_it_is(drawn, parts, way, odd) -> None:
    name, *inside = way

    assert '"odd"' in drawn(screen("canary", **{name: with_member(parts[name], tuple(inside), odd)}), "120")


@pytest.mark.parametrize("key", ["action", "logical_id", "area", "effect", "iam", "replacement"])
def test_what_a_change_does_is_never_guessed(drawn, parts, key) -> None:
    made = with_member(parts["change-set"], ("plan", "changes", 0, key), ...)

    assert '"plan": {' in drawn(screen(change_set=made), "80")


@pytest.mark.parametrize("part", [[], ["a"], "a", None, 7, True, {}, {"gates": []}, {"plan": {}}, {"unit": {}}])
@pytest.mark.parametrize("name", ["quality", "tests", "change-set", "observation", "verdict"])
def test_a_part_of_another_shape_is_shown_as_it_is(drawn, name, part) -> None:
    text = drawn(screen(**{name: part}), "80")
    shown = "".join(f"  {line}\n" for line in json.dumps(part, indent=2).splitlines())

    assert f"\n{name}\n{shown}" in text or (name, part) == ("tests", {})


@pytest.mark.parametrize("parts_", [[], ["a"], "a", None, 7])
def test_parts_that_are_none_are_shown_and_answered_as_they_are(drawn, parts_) -> None:
    made = replace(package(), parts=parts_)

    assert json.dumps(parts_, indent=2).split("\n")[0] in drawn(PackageScreen(made, HASH, ()), "80")
    assert package_json(made, HASH, ())["parts"] == parts_


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("gates", "state", "name", "plan", "changes", "canary", "message", "tests", "x")), inner
        )
    ),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(part=ANYTHING, name=st.sampled_from(("quality", "tests", "change-set", "observation", "x")))
def test_no_document_stops_the_screen(drawn, part, name) -> None:
    assert drawn(screen(**{name: part}), "80", "ascii").endswith(f"--package {HASH}`\n")


@pytest.mark.parametrize("text", ["\x1b[2Jgone", "a\ud800b", "\u202eback", "\x00"])
def test_no_text_of_a_package_steers_the_terminal(drawn, text) -> None:
    gates = [{"name": text, "state": text, "why": text}]
    parts_ = {"quality": {"gates": gates, "summary": text}, "tests": {text: dict.fromkeys(("tests", "failed"), 1)}}
    shown = drawn(PackageScreen(package("canary", text, **parts_, x=text), HASH, ()), "pipe")

    assert text not in shown
    assert text.encode("unicode_escape").decode() in shown


def test_where_only_ascii_can_be_shown_no_symbol_is_lost_and_no_line_is_too_long(drawn, parts) -> None:
    text = drawn(screen("canary", **parts), "80", "ascii")

    assert "?" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "! Shared: for everybody" in text
