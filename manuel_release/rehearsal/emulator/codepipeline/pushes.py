"""A push, as the embedded AWS hears of it: `PUT /_rehearsal/sources/OWNER/REPOSITORY/BRANCH` with a zip as its body.

The zip may be a clone, with `.git`, which CODEBUILD_CLONE_REF needs. Headers: x-commit-id (needed), x-commit-message,
x-author, x-author-email, x-author-date (ISO 8601); texts may be percent-encoded. A repository of CodeCommit has the
owner `codecommit`. The answer is JSON: the commit, the paths that changed, and the executions that were started: by
triggers that the branch and the paths fit, by connections that detect changes, by CodeCommit sources that poll, by
rules on the event that CodeCommit sends. The path is outside AWS's and needs no credentials.
https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter.html
"""

from __future__ import annotations

import fnmatch
import json
import re
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

from ministack import app

from manuel_release.rehearsal.emulator import notices, scope
from manuel_release.rehearsal.emulator.codepipeline import executions, sources, state
from manuel_release.rehearsal.emulator.codepipeline.sources import CONTROL, SourceRevision

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from manuel_release.rehearsal.emulator.codepipeline.state import Info, Pipeline

REQUIRES = {
    "ministack.app._dispatch_service_request": ("method", "path", "headers", "body", "query_params", "request_id"),
}
Answer = tuple[int, dict[str, str], bytes]
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}\Z")


def _answer(status: int, body: Info) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def _serve(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    parts = urllib.parse.unquote(path.removeprefix(CONTROL)).split("/", 2)
    if method != "PUT" or len(parts) != 3 or not all(parts):
        return _answer(404, {"message": f"Put a zip to {CONTROL}OWNER/REPOSITORY/BRANCH."})
    text = {name: urllib.parse.unquote(headers.get(f"x-{name}", "")) for name in _TEXTS}
    if not _COMMIT.match(text["commit-id"]):
        return _answer(400, {"message": "The header x-commit-id is a commit's id: 7 to 64 hexadecimal digits."})
    revision = SourceRevision(
        repository=f"{parts[0]}/{parts[1]}",
        branch=parts[2],
        commit=text["commit-id"],
        archive=body,
        message=text["commit-message"],
        author=text["author"],
        email=text["author-email"],
        author_date=text["author-date"] or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
    before = sources.find(revision.repository, revision.branch, None)
    try:
        changed = sources.put(revision)
    except ValueError as error:
        return _answer(400, {"message": str(error)})
    known = _executions()
    _start(revision, changed)
    if parts[0] == sources.CODECOMMIT:
        _tell(revision, before)
    started = [one for one in _executions() if one not in known]
    return _answer(200, {"commitId": revision.commit, "changed": changed, "executions": started})


def _executions() -> list[str]:
    return [execution.id for pipeline in state.pipelines.values() for execution in pipeline.executions]


def _tell(revision: SourceRevision, before: SourceRevision | None) -> None:
    """CodeCommit's event (https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html)."""
    account_id, region = scope.current()
    name = revision.repository.partition("/")[2]
    detail = {
        "callerUserArn": f"arn:aws:iam::{account_id}:root",
        "commitId": revision.commit,
        "event": "referenceCreated" if before is None else "referenceUpdated",
        "referenceFullName": f"refs/heads/{revision.branch}",
        "referenceName": revision.branch,
        "referenceType": "branch",
        "repositoryName": name,
        **({} if before is None else {"oldCommitId": before.commit}),
    }
    arn = f"arn:aws:codecommit:{region}:{account_id}:{name}"
    notices.send("codecommit", "CodeCommit Repository State Change", [arn], detail)


_TEXTS = ("commit-id", "commit-message", "author", "author-email", "author-date")


def _start(revision: SourceRevision, changed: Sequence[str]) -> None:
    """Start what the push starts by itself."""
    for pipeline in list(state.pipelines.values()):
        hit = [action for action in _source_actions(pipeline) if _is_of(action, revision)]
        wanted = [action for action in hit if _wants(pipeline.declaration, action, revision, changed)]
        if wanted:
            executions.begin(
                pipeline,
                trigger=_trigger(wanted[0]),
                wanted={action["name"]: revision.commit for action in wanted},
                push=_described(wanted[0], revision),
            )


def _source_actions(pipeline: Pipeline) -> list[Info]:
    found: list[Info] = pipeline.declaration["stages"][0]["actions"]
    return found


def _is_of(action: Info, revision: SourceRevision) -> bool:
    configuration = action["configuration"]
    if action["actionTypeId"]["provider"] == "CodeCommit":
        return bool(f"{sources.CODECOMMIT}/{configuration['RepositoryName']}" == revision.repository)
    return bool(configuration["FullRepositoryId"] == revision.repository)


def _wants(declaration: Info, action: Info, revision: SourceRevision, changed: Sequence[str]) -> bool:
    configuration = action["configuration"]
    triggers = [
        trigger["gitConfiguration"]
        for trigger in declaration.get("triggers") or []
        if trigger["gitConfiguration"]["sourceActionName"] == action["name"]
    ]
    if triggers:
        filters = triggers[0].get("push")
        if filters is None and triggers[0].get("pullRequest") is None:
            return bool(revision.branch == configuration["BranchName"])
        return any(_fits(one, revision.branch, changed) for one in filters or [])
    if revision.branch != configuration["BranchName"]:
        return False
    switch = "PollForSourceChanges" if action["actionTypeId"]["provider"] == "CodeCommit" else "DetectChanges"
    return str(configuration.get(switch, "true")).lower() == "true"


def _fits(push: Info, branch: str, changed: Sequence[str]) -> bool:
    if "branches" not in push:  # tags: a push of a branch is none
        return "tags" not in push and _any(push.get("filePaths"), changed)
    return _any(push["branches"], [branch]) and ("filePaths" not in push or _any(push["filePaths"], changed))


def _any(criteria: Info | None, names: Sequence[str]) -> bool:
    """Whether one of the names is included and not excluded."""
    includes, excludes = (criteria or {}).get("includes") or ["**"], (criteria or {}).get("excludes") or []
    return any(
        any(_glob(name, pattern) for pattern in includes) and not any(_glob(name, pattern) for pattern in excludes)
        for name in names
    )


def _glob(name: str, pattern: str) -> bool:
    """AWS's globs: `*` stops at a slash, `**` does not, `{a,b}` is either."""
    alternatives = re.fullmatch(r"(.*?)\{([^}]*)\}(.*)", pattern)
    if alternatives:
        before, inner, after = alternatives.groups()
        return any(_glob(name, before + one + after) for one in inner.split(","))
    expression = "".join(
        ".*"
        if part == "**"
        else fnmatch.translate(part).removeprefix("(?s:").removesuffix(")\\Z").replace(".*", "[^/]*")
        for part in re.split(r"(\*\*)", pattern)
    )
    return re.fullmatch(expression, name, re.DOTALL) is not None


def _trigger(action: Info) -> Info:
    if action["actionTypeId"]["provider"] == "CodeCommit":
        return {"triggerType": "PollForSourceChanges", "triggerDetail": action["name"]}
    return {"triggerType": "WebhookV2", "triggerDetail": action["configuration"]["ConnectionArn"]}


def _described(action: Info, revision: SourceRevision) -> Info:
    if action["actionTypeId"]["provider"] == "CodeCommit":
        return {}
    return {
        "author-display-name": revision.author,
        "full-repository-name": revision.repository,
        "provider-type": "GitHub",
        "author-email": revision.email,
        "commit-message": revision.message,
        "author-date": revision.author_date,
        "branch-name": revision.branch,
        "commit-id": revision.commit,
        "connection-arn": action["configuration"]["ConnectionArn"],
        "author-id": revision.author,
    }


def install() -> None:
    """Serve the control path, for the account and region that the server was started for."""
    dispatch = app._dispatch_service_request

    async def with_sources(*request: Any) -> Any:
        method, path, headers, body, *_rest = request
        if not path.startswith(CONTROL):
            return await dispatch(*request)
        return scope.scoped(*scope.home(), _serve, method, path, headers, body)

    app._dispatch_service_request = with_sources
