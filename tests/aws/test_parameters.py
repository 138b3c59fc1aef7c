from __future__ import annotations

import pytest
from moto import mock_aws

from manuel_release.errors import AccessError


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
