"""Report groups and the reports in them.

https://docs.aws.amazon.com/codebuild/latest/userguide/test-reporting.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from manuel_release.rehearsal.emulator.codebuild import state
from manuel_release.rehearsal.emulator.codebuild.report_files import percent
from manuel_release.rehearsal.emulator.codebuild.state import ReportGroup, StoredReport
from manuel_release.rehearsal.emulator.targets import ServiceError

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.targets import Body, Caller

KEPT_SECONDS = 30 * 24 * 3600


def create(body: Body, _caller: Caller) -> Body:
    """CreateReportGroup."""
    arn = state.arn("report-group", body["name"])
    with state.LOCK:
        if arn in state.report_groups:
            raise ServiceError("ResourceAlreadyExistsException", f"Report group already exists: {arn}")
        made = ReportGroup(arn, body["name"], body["type"], body["exportConfig"], body.get("tags") or [])
        state.report_groups[arn] = made
    return {"reportGroup": _group(made)}


def _group(group: ReportGroup) -> Body:
    return {
        "arn": group.arn,
        "name": group.name,
        "type": group.kind,
        "exportConfig": group.export,
        "created": group.created,
        "lastModified": group.created,
        "tags": group.tags,
        "status": "ACTIVE",
    }


def update(body: Body, _caller: Caller) -> Body:
    """UpdateReportGroup: export and tags."""
    found = _known_group(body["arn"])
    found.export = body.get("exportConfig") or found.export
    found.tags = body.get("tags") or found.tags
    return {"reportGroup": _group(found)}


def _known_group(arn: str) -> ReportGroup:
    found: ReportGroup | None = state.report_groups.get(arn)
    if found is None:
        raise ServiceError("ResourceNotFoundException", f"Report group does not exist: {arn}")
    return found


def delete(body: Body, _caller: Caller) -> Body:
    """DeleteReportGroup; one with reports only when asked to delete these too."""
    with state.LOCK:
        mine = [arn for arn, report in state.reports.items() if report.group_arn == body["arn"]]
        if mine and not body.get("deleteReports"):
            raise ServiceError("InvalidInputException", "Cannot delete report group with reports")
        for arn in mine:
            del state.reports[arn]
        state.report_groups.pop(body["arn"], None)
    return {}


def batch_get_groups(body: Body, _caller: Caller) -> Body:
    """BatchGetReportGroups; unknown ones are said."""
    known = [state.report_groups[arn] for arn in body["reportGroupArns"] if arn in state.report_groups]
    missing = [arn for arn in body["reportGroupArns"] if arn not in state.report_groups]
    return state.present(reportGroups=[_group(found) for found in known] or None, reportGroupsNotFound=missing or None)


def list_groups(body: Body, _caller: Caller) -> Body:
    """ListReportGroups, by creation time."""
    found = sorted(state.report_groups.values(), key=lambda group: group.created)
    if body.get("sortOrder") == "DESCENDING":
        found.reverse()
    return {"reportGroups": [group.arn for group in found]}


def _report(report: StoredReport) -> Body:
    coverage = report.kind == "CODE_COVERAGE"
    return state.present(
        arn=report.arn,
        type=report.kind,
        name=report.arn.rpartition("/")[2].partition(":")[0],
        reportGroupArn=report.group_arn,
        executionId=report.build_arn,
        status=report.status,
        created=report.created,
        expired=report.created + KEPT_SECONDS,
        exportConfig={"exportConfigType": "NO_EXPORT"},
        truncated=False,
        testSummary=None if coverage else report.results.test_summary(),
        codeCoverageSummary=report.results.coverage_summary() if coverage else None,
    )


def batch_get(body: Body, _caller: Caller) -> Body:
    """BatchGetReports; unknown ones are said."""
    known = [state.reports[arn] for arn in body["reportArns"] if arn in state.reports]
    missing = [arn for arn in body["reportArns"] if arn not in state.reports]
    return state.present(reports=[_report(found) for found in known] or None, reportsNotFound=missing or None)


def _arns(body: Body, found: list[StoredReport]) -> Body:
    wanted = (body.get("filter") or {}).get("status")
    kept = [report for report in found if wanted in {None, report.status}]
    kept.sort(key=lambda report: report.created, reverse=body.get("sortOrder", "DESCENDING") != "ASCENDING")
    return {"reports": [report.arn for report in kept]}


def list_all(body: Body, _caller: Caller) -> Body:
    """ListReports, newest first."""
    return _arns(body, list(state.reports.values()))


def list_of_group(body: Body, _caller: Caller) -> Body:
    """ListReportsForReportGroup."""
    group = _known_group(body["reportGroupArn"])
    return _arns(body, [found for found in state.reports.values() if found.group_arn == group.arn])


def _known(arn: str, code: str) -> StoredReport:
    found: StoredReport | None = state.reports.get(arn)
    if found is None:
        raise ServiceError(code, f"Report does not exist: {arn}")
    return found


def describe_tests(body: Body, _caller: Caller) -> Body:
    """DescribeTestCases, all or those of one status."""
    report = _known(body["reportArn"], "ResourceNotFoundException")
    wanted = (body.get("filter") or {}).get("status")
    cases: list[dict[str, Any]] = [
        {
            "reportArn": report.arn,
            "prefix": test.prefix,
            "name": test.name,
            "testSuiteName": test.suite,
            "status": test.status,
            "durationInNanoSeconds": test.nanoseconds,
            "message": test.message,
            "expired": report.created + KEPT_SECONDS,
        }
        for test in report.results.tests
        if wanted in {None, test.status}
    ]
    return {"testCases": cases}


def describe_coverage(body: Body, _caller: Caller) -> Body:
    """DescribeCodeCoverages, by path or by line coverage (percent 0-100)."""
    report = _known(body["reportArn"], "InvalidInputException")
    found = [
        {
            "id": f"{report.arn}/{number}",
            "reportARN": report.arn,
            "filePath": file.path,
            "lineCoveragePercentage": percent(file.lines_covered, file.lines_missed),
            "linesCovered": file.lines_covered,
            "linesMissed": file.lines_missed,
            "branchCoveragePercentage": percent(file.branches_covered, file.branches_missed),
            "branchesCovered": file.branches_covered,
            "branchesMissed": file.branches_missed,
            "expired": report.created + KEPT_SECONDS,
        }
        for number, file in enumerate(report.results.coverage)
    ]
    by = "lineCoveragePercentage" if body.get("sortBy") == "LINE_COVERAGE_PERCENTAGE" else "filePath"
    found.sort(key=lambda one: one[by], reverse=body.get("sortOrder") == "DESCENDING")  # type: ignore[arg-type,return-value]
    return {"codeCoverages": found}


OPERATIONS = {
    "CreateReportGroup": create,
    "UpdateReportGroup": update,
    "DeleteReportGroup": delete,
    "BatchGetReportGroups": batch_get_groups,
    "ListReportGroups": list_groups,
    "BatchGetReports": batch_get,
    "ListReports": list_all,
    "ListReportsForReportGroup": list_of_group,
    "DescribeTestCases": describe_tests,
    "DescribeCodeCoverages": describe_coverage,
}
