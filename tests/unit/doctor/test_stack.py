"""The check of an environment's stack: each state, and the way out of the dead ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from unit.doctor.patient import only

from manuel_release.doctor.stack import stack_state
from manuel_release.errors import AccessError
from manuel_release.model.check import Level


def test_an_environment_without_a_stack_is_fine_and_says_how_to_get_one(patient) -> None:
    check = only(stack_state(patient.subject()))

    assert check.level is Level.OK
    assert check.message == "manuel-dev does not exist yet; `manuel-release deploy --env dev` makes it"


@pytest.mark.parametrize(
    ("status", "level", "told", "way_out"),
    [
        ("CREATE_COMPLETE", Level.OK, "manuel-dev is CREATE_COMPLETE", ""),
        ("UPDATE_COMPLETE", Level.OK, "manuel-dev is UPDATE_COMPLETE", ""),
        ("UPDATE_ROLLBACK_COMPLETE", Level.WARNING, "put the old state back", "still serves"),
        ("UPDATE_IN_PROGRESS", Level.WARNING, "CloudFormation is working on manuel-dev", "Wait"),
        ("REVIEW_IN_PROGRESS", Level.WARNING, "was never executed", "manuel-release deploy --env dev"),
        ("ROLLBACK_COMPLETE", Level.ERROR, "the creation of manuel-dev failed", "delete-stack"),
        ("UPDATE_ROLLBACK_FAILED", Level.ERROR, "could not put the old state back", "continue-update-rollback"),
        ("CREATE_FAILED", Level.ERROR, "CREATE_FAILED", "delete-stack"),
        ("ROLLBACK_FAILED", Level.ERROR, "ROLLBACK_FAILED", "delete-stack"),
        ("DELETE_FAILED", Level.ERROR, "was to be deleted", "delete-stack"),
        ("UPDATE_FAILED", Level.ERROR, "an update of manuel-dev failed", "rollback-stack"),
        ("IMPORT_ROLLBACK_FAILED", Level.ERROR, "manuel-dev is IMPORT_ROLLBACK_FAILED", "describe-stack-events"),
    ],
)
def test_every_state_has_its_level_and_its_way_out(patient, status, level, told, way_out) -> None:
    patient.stack(status)
    check = only(stack_state(patient.subject()))

    assert check.level is level
    assert told in check.message
    assert way_out in check.hint
    assert bool(check.hint) is (level is not Level.OK)


def test_a_dead_end_names_the_resource_that_failed_and_the_command_for_afterwards(patient) -> None:
    patient.stack("ROLLBACK_COMPLETE")
    patient.failure("HealthFunction", "CREATE_FAILED", "the role cannot be assumed")
    check = only(stack_state(patient.subject()))

    assert "HealthFunction (AWS::Lambda::Function) - the role cannot be assumed" in check.message
    assert "run `manuel-release deploy --env dev`" in check.hint
    assert "same command" not in check.hint


def test_a_dead_end_is_told_also_where_its_events_cannot_be_read(patient) -> None:
    def denied(_: str) -> None:
        raise AccessError("not allowed to do cloudformation:DescribeStackEvents")

    patient.stack("ROLLBACK_COMPLETE", reason="see above")
    patient.aws.stacks.latest_event = denied
    check = only(stack_state(patient.subject()))

    assert check.level is Level.ERROR
    assert "see above" in check.message


def test_another_account_than_the_settings_say_is_an_error_of_access(patient) -> None:
    environments = tuple(replace(one, account_id="999999999999") for one in patient.settings.environments)
    patient.settings = replace(patient.settings, environments=environments)
    patient.stack("CREATE_COMPLETE")
    account, stack = stack_state(patient.subject())

    assert (account.title, account.level, account.access) == ("Account", Level.ERROR, True)
    assert "belongs to account 999999999999" in account.message
    assert stack.level is Level.OK
