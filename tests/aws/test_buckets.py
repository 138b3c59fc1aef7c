from __future__ import annotations

import pytest

from manuel_release.errors import AccessError


def test_a_bucket_that_is_there_is_found(aws, stub) -> None:
    stub("s3").add_response("head_bucket", {}, {"Bucket": "artifacts"})

    assert aws.buckets.exists("artifacts") is True


def test_a_bucket_that_does_not_exist_is_no_error(aws, stub) -> None:
    stub("s3").add_client_error("head_bucket", "404", "Not Found", http_status_code=404)

    assert aws.buckets.exists("artifacts") is False


def test_a_bucket_that_may_not_be_looked_at_is_an_access_error(aws, stub) -> None:
    stub("s3").add_client_error("head_bucket", "403", "Forbidden", http_status_code=403)

    with pytest.raises(AccessError, match="cannot look for bucket artifacts"):
        aws.buckets.exists("artifacts")
