"""The runtime inside a sandbox: loading handlers, answering, failing in Lambda's words."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from manuel_release.rehearsal.emulator.function_bootstrap import Context, load, peak_memory, run

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f:live"


def answer(handler: Any, event: Any = None) -> dict[str, Any]:
    request = {"request_id": "r-1", "arn": ARN, "seconds": 3.0, "event": event}
    return dict(json.loads(run(handler, request)))


def module(monkeypatch: pytest.MonkeyPatch, folder: Path, path: str, text: str) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    monkeypatch.syspath_prepend(str(folder))


def test_a_result_is_answered_with_its_duration() -> None:
    told = answer(lambda event, _context: {"got": event}, [1, None])
    assert told["result"] == {"got": [1, None]}
    assert told["milliseconds"] >= 0
    assert told["memory_mb"] == pytest.approx(peak_memory(), abs=50)


def test_the_context_carries_request_and_arn() -> None:
    told = answer(lambda _event, context: [context.aws_request_id, context.invoked_function_arn])
    assert told["result"] == ["r-1", ARN]


def test_an_exception_is_an_answer_with_the_handlers_own_frames(capsys: pytest.CaptureFixture[str]) -> None:
    def handler(_event: Any, _context: Any) -> None:
        raise KeyError("missing")

    error = answer(handler)["error"]
    assert (error["errorType"], error["errorMessage"], error["requestId"]) == ("KeyError", "'missing'", "r-1")
    assert len(error["stackTrace"]) == 1
    assert "in handler" in error["stackTrace"][0]
    assert "[ERROR] KeyError: 'missing'" in capsys.readouterr().err


def test_a_result_that_is_no_json_is_a_marshal_error() -> None:
    told = answer(lambda _event, _context: {1, 2})
    assert told["result"] is None
    assert told["error"]["errorType"] == "Runtime.MarshalError"


def test_the_remaining_time_counts_down_to_zero() -> None:
    assert Context("r", ARN, 0.0).get_remaining_time_in_millis() == 0
    assert 0 < Context("r", ARN, 2.0).get_remaining_time_in_millis() <= 2000


@pytest.mark.parametrize("spec", ["deep/inside/app_one.handler", "deep.inside.app_one.handler"])
def test_handlers_in_folders_are_found_with_dots_and_slashes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, spec: str
) -> None:
    module(monkeypatch, tmp_path, "deep/inside/app_one.py", "def handler(event, context):\n    return 'found'\n")
    for name in [each for each in sys.modules if each.startswith("deep")]:
        monkeypatch.delitem(sys.modules, name)
    handler, error = load(spec)
    assert error is None
    assert handler is not None
    assert handler(None, Context("r", ARN, 1.0)) == "found"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("import no_such_module_at_all\n", "Runtime.ImportModuleError"),
        ("def handler(:\n", "Runtime.UserCodeSyntaxError"),
        ("other = 1\n", "Runtime.HandlerNotFound"),
        ("raise LookupError('at import')\n", "LookupError"),
    ],
)
def test_what_cannot_be_loaded_is_named_as_by_lambda(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, kind: str
) -> None:
    name = f"app_{kind.replace('.', '_').lower()}"
    module(monkeypatch, tmp_path, f"{name}.py", text)
    handler, error = load(f"{name}.handler")
    assert handler is None
    assert error is not None
    assert error["errorType"] == kind
