"""Putting a broken version of the service into a running deployment, and the good one back."""

from __future__ import annotations

import contextlib
import io
import json
import time
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from manuel_release.artifact import template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emulator.service_world import Service

STACK = "manuel-dev"
SERVICE = "src/app/"
UPDATE_SECONDS = 120.0
FUNCTIONS = ("health", "usage", "manuals", "query", "transcribe", "process-manual")


@dataclass
class Planting:
    """One deployment in dev whose functions and stack are changed for a while."""

    service: Service
    good: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._lambda = self.service.client("lambda")
        self._stacks = self.service.client("cloudformation")
        self._s3 = self.service.client("s3")
        self._build = self.service.folder / ".aws-sam/build/HealthFunction"  # all functions have the same files
        original = self._stacks.get_template(StackName=STACK, TemplateStage="Original")["TemplateBody"]
        text = original if isinstance(original, str) else json.dumps(original)
        self._template = template.loads(text, STACK)
        (stack,) = self._stacks.describe_stacks(StackName=STACK)["Stacks"]
        self._parameters = [
            {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True} for one in stack["Parameters"]
        ]
        self.good = {
            name: self._lambda.get_alias(FunctionName=name, Name="live")["FunctionVersion"] for name in self._names()
        }

    @contextlib.contextmanager
    def planted(self, texts: Mapping[str, str]) -> Iterator[None]:
        """While it lasts, the service consists of these files instead of its own (paths below the repository)."""
        code = {name.removeprefix(SERVICE): text for name, text in texts.items() if name.startswith(SERVICE)}
        broken = texts.get("template.yaml")
        try:
            if broken is not None:
                self._update(template.loads(broken, "template.yaml"))
            self._replace(code)  # also without broken code: what was planted before is still the functions' newest
            yield
        finally:
            if broken is not None:
                self._update(self._template)
            for name, version in self.good.items():
                self._lambda.update_alias(FunctionName=name, Name="live", FunctionVersion=version)

    def _names(self) -> list[str]:
        return [f"manuel-{name}-dev" for name in FUNCTIONS]

    def _replace(self, code: Mapping[str, str]) -> None:
        """Give every function the build with some of its files replaced, and have that version serve."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for path in sorted(self._build.rglob("*")):
                name = path.relative_to(self._build).as_posix()
                if path.is_file() and "__pycache__" not in name and name not in code:
                    archive.write(path, name)
            for name, text in code.items():
                archive.writestr(name, text)
        for name in self._names():
            made = self._lambda.update_function_code(FunctionName=name, ZipFile=packed.getvalue(), Publish=True)
            self._lambda.update_alias(FunctionName=name, Name="live", FunctionVersion=made["Version"])

    def _update(self, wanted: dict[str, Any]) -> None:
        """Update the stack to a template whose functions have the code that is there already."""
        for name, resource in wanted["Resources"].items():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = self._template["Resources"][name]["Properties"]["CodeUri"]
        bucket = self.service.outputs["AudioBucketName"]
        self._s3.put_object(Bucket=bucket, Key="planted.json", Body=json.dumps(wanted, default=str).encode())
        self._stacks.update_stack(
            StackName=STACK,
            TemplateURL=f"{self.service.cloud.endpoint}/{bucket}/planted.json",
            Parameters=self._parameters,
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        deadline = time.monotonic() + UPDATE_SECONDS
        while (status := self._status()).endswith("IN_PROGRESS") and time.monotonic() < deadline:
            time.sleep(0.1)
        if status != "UPDATE_COMPLETE":
            raise RuntimeError(f"the stack could not be updated: {status}")

    def _status(self) -> str:
        (stack,) = self._stacks.describe_stacks(StackName=STACK)["Stacks"]
        return str(stack["StackStatus"])
