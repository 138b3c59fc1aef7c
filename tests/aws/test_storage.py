from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from manuel_release.errors import AccessError, SettingsError

if TYPE_CHECKING:
    from manuel_release.aws import Session

BUCKET = "manuel-artifacts"


@pytest.fixture
def bucket(session):
    with mock_aws():
        session.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": session.region}
        )
        yield BUCKET


def content(session: Session, key: str) -> bytes:
    with session.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"] as stream:
        return stream.read()


def test_bytes_are_written(aws, session, bucket) -> None:
    aws.storage.upload(bucket, "a/template.yaml", b"Resources: {}")

    assert content(session, "a/template.yaml") == b"Resources: {}"


def test_a_file_is_written_and_closed(aws, session, bucket, tmp_path) -> None:
    package = tmp_path / "package.zip"
    package.write_bytes(bytes(range(256)) * 4096)

    aws.storage.upload(bucket, "package.zip", package)

    assert content(session, "package.zip") == package.read_bytes()


def test_an_object_exists_or_not(aws, bucket) -> None:
    aws.storage.upload(bucket, "here", b"x")

    assert aws.storage.exists(bucket, "here")
    assert not aws.storage.exists(bucket, "elsewhere")


def test_a_missing_bucket_says_to_bootstrap(aws, bucket) -> None:
    with pytest.raises(SettingsError, match="bucket manuel-nowhere does not exist in eu-west-1") as raised:
        aws.storage.upload("manuel-nowhere", "a", b"x")

    assert "manuel-release bootstrap" in raised.value.hint


def test_not_being_allowed_to_look_is_not_the_same_as_not_there(aws, stub) -> None:
    stub("s3").add_client_error("head_object", "403", "Forbidden", http_status_code=403)

    with pytest.raises(AccessError, match=f"cannot look for s3://{BUCKET}/a"):
        aws.storage.exists(BUCKET, "a")


def test_a_templates_address_is_the_endpoint_the_bucket_and_the_quoted_key(aws) -> None:
    url = aws.storage.template_url(BUCKET, "builds/0a1b/dev r-13.yaml")

    assert url == f"https://s3.eu-west-1.amazonaws.com/{BUCKET}/builds/0a1b/dev%20r-13.yaml"
