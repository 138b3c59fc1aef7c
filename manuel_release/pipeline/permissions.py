"""Checks of roles: what an action, a build and a report need, and their role does not allow.

The tables follow https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html and
https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from manuel_release.model.pipeline import Finding
from manuel_release.pipeline.builds import FORMATS
from manuel_release.pipeline.expressions import ARNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.model.pipeline import Action, Delivery, Project, Role

CONNECTION = ("codeconnections:UseConnection", "codestar-connections:UseConnection")
_PUT = {"TEST": "codebuild:BatchPutTestCases", "CODE_COVERAGE": "codebuild:BatchPutCodeCoverages"}


@dataclass(frozen=True)
class Need:
    """What a role must allow: who needs it, the IAM action, and the resource's ARN."""

    who: str
    action: str
    resource: str


def allows(role: Role, action: str, resource: str) -> bool:
    """Whether a role may do it: some statement allows it and none denies it; conditions count as met."""
    said = {
        one.effect
        for one in role.statements
        if any(fnmatchcase(action.lower(), pattern.lower()) for pattern in one.actions)
        and any(fnmatchcase(resource, pattern) for pattern in one.resources)
    }
    return said == {"Allow"}


def of_pipeline(d: Delivery) -> Iterator[Need]:
    """What the pipeline's own role needs for each action."""
    for action in d.pipeline.actions:
        yield from _of_action(d, action)
    if d.pipeline.bucket:
        yield from _store(d, d.pipeline.logical_id, ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"))


def _of_action(d: Delivery, action: Action) -> Iterator[Need]:
    configured = action.configuration
    match action.provider:
        case "CodeBuild" if configured.get("ProjectName") in d.projects:
            project = ARNS["AWS::CodeBuild::Project"].format(configured["ProjectName"])
            for name in ("codebuild:BatchGetBuilds", "codebuild:StartBuild"):
                yield Need(action.where, name, project)
        case "Manual" if configured.get("NotificationArn"):
            yield Need(action.where, "sns:Publish", configured["NotificationArn"])
        case "CodeStarSourceConnection" if configured.get("ConnectionArn"):
            for name in CONNECTION:
                yield Need(action.where, name, configured["ConnectionArn"])
        case "CodeCommit" if configured.get("RepositoryName"):
            repository = ARNS["AWS::CodeCommit::Repository"].format(configured["RepositoryName"])
            for name in ("codecommit:GetBranch", "codecommit:GetCommit", "codecommit:GetRepository"):
                yield Need(action.where, name, repository)


def of_build(d: Delivery, action: Action, project: Project) -> Iterator[Need]:
    """What a project's role needs when an action runs it."""
    for name in ("logs:CreateLogStream", "logs:PutLogEvents"):
        if project.log_group:
            group = ARNS["AWS::Logs::LogGroup"].format(project.log_group)
            yield Need(action.where, name, f"{group.removesuffix('*')}log-stream:build")
    objects = ("s3:GetObject", "s3:GetObjectVersion", *(("s3:PutObject",) if action.outputs else ()))
    if d.pipeline.bucket:
        yield from _store(d, action.where, objects)
    if project.cache:
        for name in ("s3:GetObject", "s3:PutObject"):
            yield Need(action.where, name, f"arn:aws:s3:::{project.cache}/archive")
    yield from _reports(d, action, project)
    for source in d.pipeline.actions:
        if set(source.outputs) & set(action.inputs):
            yield from _clone(action, source)


def _reports(d: Delivery, action: Action, project: Project) -> Iterator[Need]:
    spec = d.buildspec_of(project)
    for report in spec.reports if spec is not None else ():
        group = f"{project.name}-{report.name}"
        if report.format not in FORMATS or group not in d.report_groups:
            continue
        for name in ("codebuild:CreateReport", "codebuild:UpdateReport", _PUT[FORMATS[report.format]]):
            yield Need(action.where, name, ARNS["AWS::CodeBuild::ReportGroup"].format(group))


def _clone(action: Action, source: Action) -> Iterator[Need]:
    """A build that gets a reference to the repository instead of its files clones it by itself."""
    configured = source.configuration
    if configured.get("OutputArtifactFormat") != "CODEBUILD_CLONE_REF":
        return
    if configured.get("ConnectionArn"):
        for name in CONNECTION:
            yield Need(action.where, name, configured["ConnectionArn"])
    elif configured.get("RepositoryName"):
        repository = ARNS["AWS::CodeCommit::Repository"].format(configured["RepositoryName"])
        yield Need(action.where, "codecommit:GitPull", repository)


def _store(d: Delivery, who: str, objects: tuple[str, ...]) -> Iterator[Need]:
    """Objects below the pipeline's name, where CodePipeline puts artifacts, and the key of their encryption."""
    for name in objects:
        yield Need(who, name, f"arn:aws:s3:::{d.pipeline.bucket}/{d.pipeline.name}/artifact/key")
    if d.pipeline.encryption_key:
        for name in ("kms:Decrypt", "kms:GenerateDataKey"):
            yield Need(who, name, d.pipeline.encryption_key)


def roles(d: Delivery) -> Iterator[Finding]:
    """Roles that are not there or that the service may not assume, and what they do not allow."""
    yield from _checked(d, d.pipeline.role, d.pipeline.logical_id, "codepipeline.amazonaws.com", of_pipeline(d))
    told: set[tuple[str, str, str]] = set()
    for action in d.pipeline.actions:
        project = d.project_of(action)
        if project is None:
            continue
        needs = of_build(d, action, project)
        for finding in _checked(d, project.role, project.logical_id, "codebuild.amazonaws.com", needs):
            key = (finding.rule, finding.where, finding.what)
            if key not in told:  # several actions may run one project
                told.add(key)
                yield finding


def _checked(d: Delivery, arn: str, owner: str, service: str, needs: Iterator[Need]) -> Iterator[Finding]:
    role = d.roles.get(arn)
    if role is None:
        yield Finding(
            "role",
            d.file,
            owner,
            f"its role {arn or '(none)'} is not in this file",
            "nobody can tell what it allows",
            "Declare the role here.",
        )
        return
    if service not in role.principals:
        yield Finding(
            "role",
            d.file,
            role.logical_id,
            f"{service} may not assume it",
            f"{owner} runs with it",
            f"Name {service} as a Principal.",
        )
    for need in needs:
        if not allows(role, need.action, need.resource):
            yield Finding(
                "permission",
                d.file,
                role.logical_id,
                f"it does not allow {need.action} on {need.resource}",
                f"{need.who} needs it",
                f"Add {need.action} for that resource to a policy of {role.logical_id}.",
            )


def stars(d: Delivery) -> Iterator[Finding]:
    """Policies that allow every action there is, or every action of a service."""
    for policy in d.policies:
        if policy.statement.effect != "Allow":
            continue
        for action in policy.statement.actions:
            if action == "*" or action.endswith(":*"):
                yield Finding(
                    "star",
                    d.file,
                    policy.where,
                    f"it allows {action}",
                    "nobody can say what that comes to",
                    "Name the actions that are needed.",
                )


RULES = (roles, stars)
