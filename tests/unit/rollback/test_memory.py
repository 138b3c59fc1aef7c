"""What a machine remembers, so that a rollback need not ask."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fakes import FakeAws
from unit.canary.canary_world import CanaryWorld

from manuel_release.app import App
from manuel_release.errors import ReleaseError
from manuel_release.model.location import Location
from manuel_release.model.options import GlobalOptions
from manuel_release.model.rollback import RollbackRequest
from manuel_release.model.stack import Stack
from manuel_release.observe.location import Memory, find
from manuel_release.rollback import roll_back
from manuel_release.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = Settings().environment("production")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def aws() -> FakeAws:
    made = FakeAws()
    made.parameters.put("/manuel/production/api", json.dumps({"rest_api_id": "abc", "stage": "v1"}))
    return made


def test_what_was_kept_is_known_to_the_next_process() -> None:
    Memory(None, None).keep("ledger", "manuel-releases")

    assert Memory(None, None).get("ledger") == "manuel-releases"


def test_nothing_is_also_something_to_remember() -> None:
    Memory(None, None).keep("settings", None)

    assert "settings" in Memory(None, None)
    assert "ledger" not in Memory(None, None)


def test_profiles_regions_and_keys_have_memories_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    Memory("work", "eu-west-1").keep("ledger", "one")

    assert Memory("home", "eu-west-1").get("ledger") is None
    assert Memory("work", "us-east-1").get("ledger") is None
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    assert Memory("work", "eu-west-1").get("ledger") is None


def test_a_broken_file_is_as_good_as_none(home: Path) -> None:
    Memory(None, None).keep("ledger", "one")
    (file,) = home.rglob("*.json")
    file.write_text("{")

    memory = Memory(None, None)

    assert memory.get("ledger") is None
    memory.keep("ledger", "two")
    assert Memory(None, None).get("ledger") == "two"


def test_a_folder_that_cannot_be_written_is_no_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "file"
    file.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))

    Memory(None, None).keep("ledger", "one")

    assert Memory(None, None).get("ledger") is None


def test_only_its_owner_reads_the_folder(home: Path) -> None:
    Memory(None, None).keep("ledger", "one")

    assert (home / "manuel-release").stat().st_mode & 0o077 == 0


def test_the_api_is_looked_up_once(aws: FakeAws) -> None:
    first, second = (find(aws, ENVIRONMENT, Memory(None, None)) for _ in range(2))

    assert first == Location("abc", "v1")
    assert second == Location("abc", "v1", remembered=True)
    assert aws.made == ["parameters.get"]


def test_what_is_remembered_need_not_be_believed(aws: FakeAws) -> None:
    find(aws, ENVIRONMENT, Memory(None, None))
    aws.parameters.put("/manuel/production/api", json.dumps({"rest_api_id": "new", "stage": "v1"}))

    assert find(aws, ENVIRONMENT, Memory(None, None), anew=True) == Location("new", "v1")
    assert find(aws, ENVIRONMENT, Memory(None, None)).rest_api_id == "new"


def test_a_stack_without_the_parameter_tells_it_itself() -> None:
    aws = FakeAws()
    outputs = {"ApiId": "abc", "ApiStage": "v1"}
    aws.stacks.there["manuel-prod"] = Stack("manuel-prod", "id", "UPDATE_COMPLETE", outputs=outputs)

    assert find(aws, ENVIRONMENT, Memory(None, None)) == Location("abc", "v1")


def test_where_nothing_tells_it_is_said() -> None:
    with pytest.raises(ReleaseError, match="production has no API"):
        find(FakeAws(), ENVIRONMENT, Memory(None, None))


def test_only_who_is_in_a_hurry_believes_the_remembered_ledger(aws: FakeAws) -> None:
    aws.parameters.put("/manuel/operations/ledger", "new")
    Memory(None, None).keep("ledger", "old")
    asked: list[str] = []
    aws.table = lambda name: asked.append(name) or aws.table_of  # type: ignore[method-assign]

    for hurried in (True, False):
        app = App(GlobalOptions(), screen=None)  # type: ignore[arg-type]
        app.__dict__.update(aws=aws, settings=Settings())
        app.hurried = hurried
        assert app.ledger

    assert asked == ["old", "new"]
    assert Memory(None, None).get("ledger") == "new"


@pytest.mark.parametrize("move", ["start", "promote"])
def test_whoever_moved_a_canary_from_this_machine_has_a_rollback_of_two_calls(
    home: Path, monkeypatch: pytest.MonkeyPatch, move: str
) -> None:
    world = CanaryWorld(home / "artifact", monkeypatch)
    world.start()
    if move == "promote":
        world.good()
        (kept,) = (home / "manuel-release").glob("*.json")
        kept.unlink()
        world.promote()

    request = RollbackRequest(probe=False)
    receipt = roll_back(world.app(), request, world.progress, lambda _: None, lambda *_: True)

    assert (receipt.from_release, receipt.api_calls_before_restored) == ("r-2", 2)
