"""A pipeline of three stages whose gates have the names of the real one's, with roles that IAM enforces."""

from __future__ import annotations

import json
from typing import Any

from emulator.codepipeline_world import PipelineWorld, allowed, approval, trust

LONG, SHORT = 1440, 5
"""Minutes that the gate of a canary waits for people."""


class Gates(PipelineWorld):
    """A pipeline of three stages whose gates have the names of the real one's, and the project that observes."""

    def make_roles(self) -> None:
        for suffix, service in (("", "codepipeline"), ("-build", "codebuild")):
            role = self.role.rpartition("/")[2] + suffix
            self.iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(service))
            statement = allowed("codeconnections:*", "codestar-connections:*", "s3:*", "logs:*")
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            self.iam.put_role_policy(RoleName=role, PolicyName="it", PolicyDocument=document)

    def make(self, name: str, minutes: int = LONG) -> None:
        self.name = name
        self.codepipeline.create_pipeline(pipeline=self.declared(minutes))
        self.stop(self.executions()[0]["pipelineExecutionId"])

    def declared(self, minutes: int) -> dict[str, Any]:
        return self.declaration(
            {"name": "ProductionApproval", "actions": [approval("DevOps")]},
            {"name": "CanaryApproval", "actions": [approval("DevOps", timeoutInMinutes=minutes)]},
        )

    def wait_for(self, minutes: int) -> None:
        """From the next execution on, the gate of a canary waits so long."""
        self.codepipeline.update_pipeline(pipeline=self.declared(minutes))

    def at_the_gate(self) -> str:
        """A new execution that waits for somebody to look at its canary."""
        execution = self.start()
        self.answer(stage="ProductionApproval", name="DevOps")
        self.token("CanaryApproval", "DevOps")
        return execution

    def stop(self, execution: str) -> None:
        """As a person does who does not want to wait for what is under way."""
        self.codepipeline.stop_pipeline_execution(
            pipelineName=self.name, pipelineExecutionId=execution, abandon=True, reason="a test"
        )
        self.ended(execution)
