"""Which permission on which resource an operation needs.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodebuild.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator.codebuild import state
from manuel_release.rehearsal.emulator.targets import Permission

if TYPE_CHECKING:
    from collections.abc import Sequence

_ON_NOTHING = ("ListBuilds", "ListProjects", "ListReports", "ListReportGroups")
_BY_NAME = ("CreateProject", "UpdateProject", "DeleteProject")


def of(action: str, body: dict[str, Any]) -> Sequence[Permission]:
    """What a caller of `action` needs: on projects, on report groups, or on nothing in particular."""
    return [Permission((action,), resource) for resource in _resources(action, body) or ["*"]]


def _resources(action: str, body: dict[str, Any]) -> list[str]:
    if action in _ON_NOTHING:
        return []
    if action in _BY_NAME:
        return [_project(body.get("name"))]
    if action in {"StartBuild", "ListBuildsForProject"}:
        return [_project(body.get("projectName"))]
    if action == "BatchGetProjects":
        return [_project(name) for name in body.get("names") or []]
    if action in {"StopBuild", "RetryBuild", "BatchGetBuilds", "BatchDeleteBuilds"}:
        ids = body.get("ids") or [body.get("id")]
        return sorted({_project(str(one).rpartition(":build/")[2].partition(":")[0] or "*") for one in ids})
    return sorted(set(_groups(action, body)))


def _project(name: Any) -> str:
    text = str(name or "*")
    return text if text.startswith("arn:") else state.arn("project", text)


def _groups(action: str, body: dict[str, Any]) -> list[str]:
    if action == "CreateReportGroup":
        return [state.arn("report-group", str(body.get("name") or "*"))]
    reports = body.get("reportArns") or ([body["reportArn"]] if body.get("reportArn") else [])
    if reports:
        return [str(arn).replace(":report/", ":report-group/").rpartition(":")[0] for arn in reports]
    groups = body.get("reportGroupArns") or [body.get("reportGroupArn") or body.get("arn")]
    return [str(arn or "*") for arn in groups]
