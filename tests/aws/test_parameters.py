from __future__ import annotations

import pytest
from moto import mock_aws

from manuel_release.aws.masking import masked
from manuel_release.errors import AccessError
from manuel_release.model.parameter import StoredValue


@mock_aws
def test_a_parameter_that_was_written_is_read_again(aws) -> None:
    aws.parameters.put("/manuel/dev/api", "one")
    aws.parameters.put("/manuel/dev/api", "two")

    assert aws.parameters.get("/manuel/dev/api") == "two"


@mock_aws
def test_a_parameter_that_does_not_exist_is_none(aws) -> None:
    assert aws.parameters.get("/manuel/dev/api") is None


def test_a_parameter_that_may_not_be_read_is_an_access_error_and_not_none(aws, stub) -> None:
    stub("ssm").add_client_error("get_parameter", "AccessDeniedException", "no", http_status_code=400)

    with pytest.raises(AccessError, match="cannot read parameter /manuel/dev/api"):
        aws.parameters.get("/manuel/dev/api")


@mock_aws
def test_the_newest_version_is_read_and_an_older_one_when_it_is_named(aws) -> None:
    aws.parameters.put("/manuel/dev/model", "one")
    aws.parameters.put("/manuel/dev/model", "two")

    assert aws.parameters.read("/manuel/dev/model") == StoredValue("/manuel/dev/model", 2, secret=False, value="two")
    assert aws.parameters.read("/manuel/dev/model:1") == StoredValue("/manuel/dev/model", 1, secret=False, value="one")


@mock_aws
def test_a_parameter_or_version_that_does_not_exist_is_not_read(aws) -> None:
    aws.parameters.put("/manuel/dev/model", "one")

    assert aws.parameters.read("/manuel/dev/none") is None
    assert aws.parameters.read("/manuel/dev/model:7") is None


@mock_aws
def test_a_plain_value_is_not_masked_afterwards(aws) -> None:
    aws.parameters.put("/manuel/dev/model", "a-plain-value")
    aws.parameters.read("/manuel/dev/model")

    assert masked("a-plain-value") == "a-plain-value"
