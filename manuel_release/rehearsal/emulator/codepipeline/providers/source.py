"""Source actions: the newest revision of a branch, or the one that the start asked for, as a zip.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from manuel_release.rehearsal.emulator import scope
from manuel_release.rehearsal.emulator.codepipeline import action_types, sources
from manuel_release.rehearsal.emulator.codepipeline.job import ActionFailed, Outcome
from manuel_release.rehearsal.emulator.codepipeline.state import CHANGED, Revision

if TYPE_CHECKING:
    from manuel_release.rehearsal.emulator.codepipeline.job import Job

CODECOMMIT_ACTIONS = {
    action_types.ZIP: ("GetBranch", "GetCommit", "UploadArchive", "GetUploadArchiveStatus"),
    action_types.CLONE_REF: ("GetBranch", "GetCommit", "GetRepository"),
}


def connection(job: Job) -> Outcome:
    """A repository behind a connection."""
    arn = job.setting("ConnectionArn")
    for service in ("codeconnections", "codestar-connections"):
        job.actor.require(f"{service}:UseConnection", arn)
    repository, branch = job.setting("FullRepositoryId"), job.setting("BranchName")
    found = _take(job, repository, branch, f"[Connections] Could not find {branch} in {repository}")
    summary = json.dumps({"ProviderType": "GitHub", "CommitMessage": found.message}, separators=(",", ":"))
    url = f"https://github.com/{repository}/commit/{found.commit}"
    _remember(job, found, summary, url)
    return Outcome(
        {
            "AuthorDate": found.author_date,
            "AuthorDisplayName": found.author,
            "AuthorEmail": found.email,
            "BranchName": found.branch,
            "CommitId": found.commit,
            "CommitMessage": found.message,
            "ConnectionArn": arn,
            "FullRepositoryName": repository,
        },
        summary,
    )


def codecommit(job: Job) -> Outcome:
    """A repository of CodeCommit."""
    account_id, region = scope.current()
    repository, branch = job.setting("RepositoryName"), job.setting("BranchName")
    for action in CODECOMMIT_ACTIONS[job.setting("OutputArtifactFormat", action_types.ZIP)]:
        job.actor.require(f"codecommit:{action}", f"arn:aws:codecommit:{region}:{account_id}:{repository}")
    found = _take(
        job, f"{sources.CODECOMMIT}/{repository}", branch, f"The branch {branch} of {repository} was not found"
    )
    _remember(job, found, found.message, "")
    return Outcome(
        {
            "AuthorDate": found.author_date,
            "BranchName": found.branch,
            "CommitId": found.commit,
            "CommitMessage": found.message,
            "CommitterDate": found.author_date,
            "RepositoryName": repository,
        },
        found.message,
    )


def _take(job: Job, repository: str, branch: str, missing: str) -> sources.SourceRevision:
    """The revision, its zip stored as the output artifact."""
    wanted = job.run.execution.wanted.get(job.run.name)
    found = sources.find(repository, branch, wanted)
    if found is None:
        where = f"commit {wanted}" if wanted else "a revision"
        raise ActionFailed(
            f"{missing}: put {where} with PUT {sources.CONTROL}{repository}/{branch}", code="RevisionUnavailable"
        )
    (place,) = job.run.outputs.values()
    if job.setting("OutputArtifactFormat", action_types.ZIP) == action_types.ZIP:
        job.write(place, found.files())
    elif found.has_history():
        job.write(place, found.reference(job.setting("ConnectionArn")))
    else:
        raise ActionFailed(
            f"Commit {found.commit} was put without its history, so nothing can be cloned: put a zip that has .git",
            code="RevisionUnavailable",
        )
    return found


def _remember(job: Job, found: sources.SourceRevision, summary: str, url: str) -> None:
    (artifact,) = job.run.outputs
    job.run.external_id, job.run.external_url = found.commit, url
    with CHANGED:
        revision = Revision(job.run.name, artifact, found.commit, summary, url, found.put_at)
        job.run.execution.revisions.append(revision)
