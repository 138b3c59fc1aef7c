from __future__ import annotations

from manuel_release.model.caller import Caller


def test_the_caller_has_account_arn_and_the_region_of_the_session(aws, stub) -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/Deployer/jane"
    stub("sts").add_response("get_caller_identity", {"Account": "123456789012", "Arn": arn, "UserId": "AROA:jane"}, {})

    assert aws.identity.caller() == Caller("123456789012", arn, "eu-west-1")
