"""The API's contract, read from the template, and how much of it was exercised."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
from integration.suites.config import ConfigError
from integration.suites.contract import CODES, DEPENDENCIES, Answer, Contract
from integration.suites.coverage import Exercised, measure
from tests_root import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FAULTS = tuple(set(DEPENDENCIES.values()))


def test_the_document_is_plain_openapi(contract: Contract) -> None:
    text = str(contract.document)

    assert contract.document["openapi"].startswith("3.0")
    assert "x-amazon" not in text
    assert "Fn::" not in text
    assert contract.document["paths"].keys() >= {"/health", "/api/query", "/api/manuals/{manual_id}"}


def test_the_cache_key_is_no_parameter_but_the_others_are(contract: Contract) -> None:
    parameters = contract.operations["GET", "/api/manuals/{manual_id}"]["parameters"]

    assert [one["name"] for one in parameters] == ["manual_id"]


def test_a_field_that_may_be_null_may_be_null(contract: Contract) -> None:
    schema = contract.schema("GET", "/api/manuals", 200)

    assert schema is not None
    assert schema["components"]["schemas"]["ManualList"]["properties"]["next_cursor"]["type"] == ["string", "null"]


def test_an_answer_without_a_body_has_no_schema(contract: Contract) -> None:
    assert contract.schema("DELETE", "/api/manuals/{manual_id}", 204) is None
    with pytest.raises(KeyError):
        contract.schema("GET", "/health", 418)


def test_only_health_needs_no_token(contract: Contract) -> None:
    assert set(contract.operations) - set(contract.signed_in) == {("GET", "/health")}


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/health", "/health"),
        ("GET", "/api/manuals/abc", "/api/manuals/{manual_id}"),
        ("GET", "/api/manuals/abc/download", "/api/manuals/{manual_id}/download"),
        ("POST", "/api/manuals/upload", "/api/manuals/upload"),
        ("GET", "/api/manuals/upload", "/api/manuals/{manual_id}"),
        ("GET", "/api/manuals/a/b/c", None),
        ("GET", "/healthy", None),
        ("PUT", "/health", None),
    ],
)
def test_a_request_belongs_to_the_route_that_answers_it(
    contract: Contract, method: str, path: str, route: str | None
) -> None:
    found = contract.route(method, path)

    assert (found and found[1]) == route


def test_the_codes_are_those_of_the_service() -> None:
    tree = ast.parse((ROOT / "src/app/manuel/errors.py").read_text())
    found: dict[int, set[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            values = {
                target.id: one.value.value
                for one in node.body
                if isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant)
                for target in one.targets
                if isinstance(target, ast.Name)
            }
            if values:
                found.setdefault(int(values["status"]), set()).add(str(values["code"]))

    found[503].remove("not_configured")  # only where there is no knowledge base
    assert {status: set(codes) for status, codes in CODES.items()} == found


def test_the_gateways_own_codes_are_the_services() -> None:
    text = (ROOT / "template.yaml").read_text()
    codes = set(re.findall(r"'\{\"error\":\{\"code\":\"(\w+)\"", text))

    assert codes - {"rejected", "unavailable"} <= {code for of_status in CODES.values() for code in of_status}


def test_every_route_that_may_be_unavailable_has_a_dependency_that_makes_it_so(contract: Contract) -> None:
    unavailable = {(a.method, a.path) for a in contract.answers(advanced_security=True) if a.status == 503}

    assert unavailable == set(DEPENDENCIES)


def test_only_what_counts_operations_can_use_up_a_quota(contract: Contract) -> None:
    answers = contract.answers(advanced_security=True)

    assert {(a.method, a.path) for a in answers if a.code == "quota_exceeded"} == {
        ("POST", "/api/query"),
        ("POST", "/api/transcribe"),
        ("POST", "/api/manuals/upload"),
    }
    assert not [a for a in contract.answers(advanced_security=False) if a.code == "too_many_requests"]


def test_a_template_without_an_api_is_told(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text("Resources: {A: {Type: 'AWS::S3::Bucket'}}")

    with pytest.raises(ConfigError, match="no API"):
        Contract.read(path)
    with pytest.raises(ConfigError, match="no API"):
        Contract.read(tmp_path / "missing.yaml")


def test_coverage_is_what_was_answered_of_what_can_be(contract: Contract) -> None:
    exercised = Exercised(contract)
    everything = sorted(contract.answers(advanced_security=True))
    half = everything[: len(everything) // 2]
    for answer in half:
        exercised.saw(answer.method, answer.path.replace("{manual_id}", "abc"), answer.status, answer.code, "r-1")

    found = measure(exercised, advanced_security=True, faults=FAULTS)

    assert found.percent == pytest.approx(100 * len(half) / len(everything))
    assert set(found.missed) == set(everything) - set(half)
    assert exercised.releases == {"r-1": len(half)}


def test_a_status_with_another_code_exercises_nothing(contract: Contract) -> None:
    exercised = Exercised(contract)
    exercised.saw("POST", "/api/query", 429, "rejected", "gateway")

    assert not measure(exercised, advanced_security=True, faults=FAULTS).exercised


def test_what_only_a_failing_dependency_brings_about_counts_where_it_can_be_made_to_fail(contract: Contract) -> None:
    exercised = Exercised(contract)
    query, usage = (
        Answer("POST", "/api/query", 503, "dependency_unavailable"),
        Answer("GET", "/api/usage", 503, "dependency_unavailable"),
    )

    found = measure(exercised, advanced_security=True, faults=("bedrock-runtime",))

    assert query in found.missed
    assert usage in found.apart
    assert usage not in found.missed


def test_an_answer_that_is_not_documented_is_told_with_how_often_it_came(contract: Contract) -> None:
    exercised = Exercised(contract)
    for _ in range(3):
        exercised.saw("GET", "/health", 418, "", "r-1")
    exercised.saw("GET", "/nowhere", 404, "not_found", "gateway")

    found = measure(exercised, advanced_security=True, faults=())

    assert found.undocumented == {"GET /health -> 418": 3}
    assert found.as_json()["undocumented"] == {"GET /health -> 418": 3}
