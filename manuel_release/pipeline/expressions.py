"""CloudFormation's expressions, filled in as far as files tell.

Parameters have their defaults, pseudo parameters those of an account that does not exist, and a resource's attribute is
the name or ARN that CloudFormation would give it. That is enough to say which statement of a policy covers what.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "123456789012"
REGION = "eu-west-1"
NOTHING: Any = object()
"""What `AWS::NoValue` leaves: the property is not there."""

_PSEUDO: Mapping[str, Any] = {
    "AWS::AccountId": ACCOUNT,
    "AWS::NoValue": NOTHING,
    "AWS::NotificationARNs": [],
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/manuel-pipeline/id",
    "AWS::StackName": "manuel-pipeline",
    "AWS::URLSuffix": "amazonaws.com",
}
_HOLE = re.compile(r"\$\{(!?)([^}]+)\}")
_SSM = "AWS::SSM::Parameter::Value"

NAMES: Mapping[str, str] = {
    # resource type -> the property that is its name, and what `Ref` gives
    "AWS::CodeBuild::Project": "Name",
    "AWS::CodeBuild::ReportGroup": "Name",
    "AWS::CodeCommit::Repository": "RepositoryName",
    "AWS::CodeConnections::Connection": "ConnectionName",
    "AWS::CodePipeline::Pipeline": "Name",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Key": "KeyId",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SSM::Parameter": "Name",
}
_HERE = f"{REGION}:{ACCOUNT}"
ARNS: Mapping[str, str] = {
    "AWS::CodeBuild::Project": f"arn:aws:codebuild:{_HERE}:project/{{}}",
    "AWS::CodeBuild::ReportGroup": f"arn:aws:codebuild:{_HERE}:report-group/{{}}",
    "AWS::CodeCommit::Repository": f"arn:aws:codecommit:{_HERE}:{{}}",
    "AWS::CodeConnections::Connection": f"arn:aws:codeconnections:{_HERE}:connection/{{}}",
    "AWS::CodePipeline::Pipeline": f"arn:aws:codepipeline:{_HERE}:{{}}",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{_HERE}:table/{{}}",
    "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{ACCOUNT}:policy/{{}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    "AWS::KMS::Key": f"arn:aws:kms:{_HERE}:key/{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{_HERE}:log-group:{{}}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SNS::Topic": f"arn:aws:sns:{_HERE}:{{}}",
}
_REF_IS_ARN = {"AWS::SNS::Topic", "AWS::CodeConnections::Connection", "AWS::IAM::ManagedPolicy"}


@dataclass
class Expressions:
    """Fills in the expressions of one template.

    stored: values of SSM parameters that another template declares.
    missing: (resource, name) of what is named and declared nowhere; grows while values are filled in.
    """

    template: Mapping[str, Any]
    stored: Mapping[str, str] = field(default_factory=dict)
    missing: list[tuple[str, str]] = field(default_factory=list)
    _of: str = ""

    def resource(self, logical_id: str) -> dict[str, Any]:
        """A resource's properties, filled in."""
        self._of = logical_id
        found = self.value(self.template["Resources"][logical_id].get("Properties") or {})
        return found if isinstance(found, dict) else {}

    def exists(self, logical_id: str) -> bool:
        """Whether the resource is made: it has no condition, or one that holds."""
        condition = self.template["Resources"][logical_id].get("Condition")
        return condition is None or self.holds(condition)

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template holds with the parameters' defaults."""
        conditions = self.template.get("Conditions") or {}
        if condition not in conditions:
            self._miss(f"condition {condition}")
            return False
        return bool(self.value(conditions[condition]))

    def value(self, written: Any) -> Any:
        """Anything written in the template, filled in; properties with `AWS::NoValue` are left out."""
        if isinstance(written, list):
            return [one for one in map(self.value, written) if one is not NOTHING]
        if not isinstance(written, dict):
            return written
        if len(written) == 1:
            ((name, argument),) = written.items()
            if name in {"Ref", "Condition"} or name.startswith("Fn::"):
                return self._call(name, argument)
        filled = {key: self.value(inner) for key, inner in written.items()}
        return {key: inner for key, inner in filled.items() if inner is not NOTHING}

    def _call(self, name: str, argument: Any) -> Any:  # noqa: C901, PLR0911 - one line for each function
        match name:
            case "Ref":
                return self._ref(str(argument))
            case "Condition":
                return self.holds(str(argument)) if isinstance(argument, str) else {name: argument}
            case "Fn::GetAtt":
                return self._attribute(*(argument if isinstance(argument, list) else str(argument).split(".", 1)))
            case "Fn::Sub":
                return self._sub(argument)
            case "Fn::If":
                return self.value(argument[1] if self.holds(argument[0]) else argument[2])
            case "Fn::Equals":
                return self.value(argument[0]) == self.value(argument[1])
            case "Fn::Not":
                return not self.value(argument[0])
            case "Fn::And":
                return all(map(self.value, argument))
            case "Fn::Or":
                return any(map(self.value, argument))
            case "Fn::Join":
                return str(argument[0]).join(map(str, self.value(argument[1])))
            case _:
                self._miss(f"function {name}")
                return ""

    def _sub(self, argument: Any) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else (argument[0], self.value(argument[1]))

        def fill(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in own:
                return str(own[name])
            return str(self._attribute(*name.split(".", 1)) if "." in name else self._ref(name))

        return _HOLE.sub(fill, text)

    def _ref(self, name: str) -> Any:
        if name in _PSEUDO:
            return _PSEUDO[name]
        parameter = (self.template.get("Parameters") or {}).get(name)
        if parameter is not None:
            return self._parameter(parameter)
        if name not in self.template["Resources"]:
            self._miss(name)
            return ""
        kind = self.template["Resources"][name]["Type"]
        return self._attribute(name, "Arn") if kind in _REF_IS_ARN else self._name(name)

    def _parameter(self, parameter: Mapping[str, Any]) -> Any:
        default = parameter.get("Default", "")
        if not str(parameter["Type"]).startswith(_SSM):
            return str(default)
        if default not in self.stored:
            self._miss(f"SSM parameter {default}")
            return ""
        return self.stored[default]

    def _name(self, logical_id: str) -> str:
        resource = self.template["Resources"][logical_id]
        written = (resource.get("Properties") or {}).get(NAMES.get(resource["Type"], ""))
        return str(self.value(written)) if written is not None else f"manuel-pipeline-{logical_id}"

    def _attribute(self, logical_id: str, attribute: str = "") -> str:
        if logical_id not in self.template["Resources"]:
            self._miss(f"{logical_id}.{attribute}")
            return ""
        kind = self.template["Resources"][logical_id]["Type"]
        if attribute in {"Arn", "ConnectionArn", "TopicArn"} and kind in ARNS:
            return ARNS[kind].format(self._name(logical_id))
        return self._name(logical_id) if attribute == "Name" else f"{logical_id}.{attribute}"

    def _miss(self, name: str) -> None:
        if (self._of, name) not in self.missing:
            self.missing.append((self._of, name))
