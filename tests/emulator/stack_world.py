"""One CloudFormation stack for a test: put a template, see what became of it, delete it."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from emulator.codedeploy_world import World, unique, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from manuel_release.rehearsal.process import EmbeddedCloud

Resources = dict[str, dict[str, Any]]
STEADY = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "DELETE_FAILED")


class Stack:
    """One stack: what is asked of it, and what it became."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.name = unique("stack")

    @classmethod
    @contextlib.contextmanager
    def of(cls, cloud: EmbeddedCloud) -> Iterator[Stack]:
        """A stack that is deleted afterwards, unless the test did that."""
        with World.of(cloud) as world:
            made = cls(world)
            yield made
            with contextlib.suppress(ClientError):
                world.cloudformation.describe_stacks(StackName=made.name)
                world.cloudformation.delete_stack(StackName=made.name)

    def put(self, resources: Resources, outputs: dict[str, Any] | None = None, **members: Any) -> str:
        """Create or update the stack; returns the status that it ended in."""
        template = {
            "Resources": resources,
            "Outputs": {key: {"Value": value} for key, value in (outputs or {}).items()},
        }
        try:
            self.world.cloudformation.describe_stacks(StackName=self.name)
            operation = self.world.cloudformation.update_stack
        except ClientError:
            operation = self.world.cloudformation.create_stack
        operation(StackName=self.name, TemplateBody=json.dumps(template), **members)
        return self.settled()

    def settled(self) -> str:
        def status() -> str:
            found = str(self.world.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"])
            return found if found in STEADY else ""

        return str(until(status))

    def output(self, key: str) -> str:
        found = self.world.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["Outputs"]
        return {output["OutputKey"]: output["OutputValue"] for output in found}[key]

    def why(self) -> str:
        """The reason of the first resource that failed."""
        events = self.world.cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        return str(failed[-1]["ResourceStatusReason"])

    def delete(self) -> str:
        """Delete the stack; returns DELETE_COMPLETE or DELETE_FAILED."""
        stack_id = self.world.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackId"]
        self.world.cloudformation.delete_stack(StackName=self.name)

        def status() -> str:
            found = self.world.cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
            return found if found in {"DELETE_COMPLETE", "DELETE_FAILED"} else ""

        return str(until(status))


def resource(kind: str, properties: dict[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties or {}, **attributes}
