"""Where results are kept, and which of them a release is compared with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from integration.performance.baseline import PARAMETER, Bucket, Folder, Stores, previous, stores
from moto import mock_aws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from integration.performance.measured import Record

NAME = "artifacts"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="eu-west-1")
        client.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield client
        client.close()


def test_a_folder_gives_back_what_it_keeps_and_replaces_the_same_release(
    record: Callable[..., Record], tmp_path: Path
) -> None:
    folder = Folder(tmp_path)
    for one in (record("r-1"), record("r-2"), record("r-2", seed=9), record("r-2", profile="smoke")):
        folder.keep(one)

    found = folder.records("staging")

    assert {(one.release, one.profile) for one in found} == {("r-1", "full"), ("r-2", "full"), ("r-2", "smoke")}
    assert record("r-2", seed=9).scenarios in [one.scenarios for one in found]
    assert folder.records("production") == []


def test_a_file_that_is_no_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "staging").mkdir()
    (tmp_path / "staging/r-1-full.json").write_text("{}")

    with pytest.raises(ValueError, match=r"r-1-full\.json is no record"):
        Folder(tmp_path).records("staging")


def test_results_are_kept_in_the_folder_and_in_the_bucket_and_found_in_either(
    s3: Any, record: Callable[..., Record], tmp_path: Path
) -> None:
    both = Stores(Folder(tmp_path / "here"), Bucket(NAME, s3))
    places = both.keep(record("r-1"))
    elsewhere = Stores(Folder(tmp_path / "there"), Bucket(NAME, s3))

    assert places == [str(tmp_path / "here"), f"s3://{NAME}/performance"]
    assert [one.release for one in elsewhere.records("staging")] == ["r-1"]
    body = json.loads(s3.get_object(Bucket=NAME, Key="performance/staging/r-1-full.json")["Body"].read())
    assert body["scenarios"]["query"]["requests"] == 400
    assert both.notes == []


def test_a_bucket_that_cannot_be_used_is_said_and_the_folder_is_enough(
    s3: Any, record: Callable[..., Record], tmp_path: Path
) -> None:
    places = Stores(Folder(tmp_path), Bucket("somebody-elses", s3))
    places.keep(record("r-1"))

    assert [one.release for one in places.records("staging")] == ["r-1"]
    assert ["cannot be written" in places.notes[0], "cannot be read" in places.notes[1]] == [True, True]


def test_the_parameter_of_bootstrap_names_the_bucket_when_no_variable_does(s3: Any, tmp_path: Path) -> None:
    nowhere = stores(tmp_path, "eu-west-1", {})
    ssm = boto3.client("ssm", region_name="eu-west-1")
    ssm.put_parameter(Name=PARAMETER, Value=NAME, Type="String")
    ssm.close()

    found, given = stores(tmp_path, "eu-west-1", {}).bucket, stores(tmp_path, "eu-west-1", {"ARTIFACTS_BUCKET": "b"})

    assert nowhere.bucket is None
    assert "results stay in" in nowhere.notes[0]
    assert (found and found.name, given.bucket and given.bucket.name) == (NAME, "b")
    for one in (found, given.bucket):
        assert one is not None
        one.client.close()


def test_a_release_is_compared_with_the_newest_other_one_that_passed_the_same_profile(
    record: Callable[..., Record],
) -> None:
    records = [record("r-1"), record("r-2"), record("r-3", ok=False), record("r-4", profile="smoke"), record("r-5")]

    found = previous(records, "r-5", "full")

    assert found is not None
    assert found.release == "r-2"
    assert previous(records, "r-4", "smoke") is None
