"""What makes things fail: the fault layer by an SSM parameter, or AWS Fault Injection Service; one interface."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from integration.chaos.layer.python.manuel_faults import POLL_SECONDS, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST_SECONDS = 180.0  # that any fault may last, whatever happens to the simulator
LAYER = ":layer:manuel-faults:"
FIS_SETTLE_SECONDS = 65.0  # the extension looks for an experiment once a minute
FIS_RUNNING = {"pending", "initiating", "running"}


class Refused(Exception):  # noqa: N818 - what happened
    """Nothing was injected, and why."""


@dataclass(frozen=True)
class FunctionFault:
    """A whole function goes wrong, as an experiment template of chaos.yaml says.

    experiment: the output of the chaos stack that holds the template's id.
    """

    function: str
    experiment: str


AnyFault = Fault | FunctionFault


class Injector(Protocol):
    """Makes faults happen, and ends them.

    settle_seconds: until every function knows, after `start` and after `stop`.
    """

    settle_seconds: float

    def supports(self, fault: AnyFault) -> bool:
        """Whether this injector can do that."""

    def start(self, faults: Sequence[AnyFault], seconds: float) -> None:
        """Have these go wrong from now on, for at most some seconds; raises Refused."""

    def stop(self) -> None:
        """End all faults; harmless when there are none."""

    def active(self) -> bool:
        """Whether what was started still goes on, so that somebody else's stop is noticed."""


@dataclass
class LayerInjector:
    """Writes the plan that the fault layer reads; deleting the parameter, by anybody, ends everything."""

    ssm: Any
    environment: str
    clock: Callable[[], float] = time.time
    settle_seconds: float = POLL_SECONDS + 0.5
    started: bool = field(default=False, init=False)

    @property
    def parameter(self) -> str:
        """The parameter's name."""
        return f"/manuel/{self.environment}/faults"

    def supports(self, fault: AnyFault) -> bool:
        """Everything between a function and AWS."""
        return isinstance(fault, Fault)

    def start(self, faults: Sequence[AnyFault], seconds: float) -> None:
        """Write the plan; raises Refused while somebody else's holds."""
        if not self.started and self._until() > self.clock():
            raise Refused(
                f"another plan of faults holds already; `aws ssm delete-parameter --name {self.parameter}` ends it"
            )
        until = self.clock() + min(seconds, MOST_SECONDS)
        members = [asdict(fault) for fault in faults if isinstance(fault, Fault)]
        plan = {"schema_version": 1, "until": until, "faults": members}
        self.started = True  # before the call: what an interrupted one has written must go too
        self.ssm.put_parameter(Name=self.parameter, Type="String", Overwrite=True, Value=json.dumps(plan))

    def stop(self) -> None:
        """Delete the plan, if it is ours."""
        if not self.started:
            return
        with contextlib.suppress(self.ssm.exceptions.ParameterNotFound):  # somebody pulled the switch
            self.ssm.delete_parameter(Name=self.parameter)
        self.started = False

    def active(self) -> bool:
        """Whether the plan is still there and has not ended."""
        return self._until() > self.clock()

    def _until(self) -> float:
        try:
            text = self.ssm.get_parameter(Name=self.parameter)["Parameter"]["Value"]
        except self.ssm.exceptions.ParameterNotFound:
            return 0.0
        try:
            return float(json.loads(text)["until"])
        except (ValueError, KeyError, TypeError):
            return 0.0


@dataclass
class FisInjector:
    """Runs the experiments of chaos.yaml; how long each may last is in its template.

    templates: outputs of the chaos stack.
    """

    fis: Any
    templates: Mapping[str, str]
    settle_seconds: float = FIS_SETTLE_SECONDS
    running: list[str] = field(default_factory=list, init=False)

    def supports(self, fault: AnyFault) -> bool:
        """Whole functions, as far as the chaos stack has a template."""
        return isinstance(fault, FunctionFault) and fault.experiment in self.templates

    def start(self, faults: Sequence[AnyFault], seconds: float) -> None:
        """Start an experiment for each fault."""
        for fault in faults:
            if isinstance(fault, FunctionFault):
                answer = self.fis.start_experiment(
                    clientToken=str(uuid.uuid4()), experimentTemplateId=self.templates[fault.experiment]
                )
                self.running.append(answer["experiment"]["id"])

    def stop(self) -> None:
        """Stop every experiment that was started here and still runs."""
        while self.running:
            if self._status(self.running[-1]) in FIS_RUNNING:
                self.fis.stop_experiment(id=self.running[-1])
            self.running.pop()

    def active(self) -> bool:
        """Whether all of them still run; a stop condition's alarm ends them too."""
        return bool(self.running) and all(self._status(one) in FIS_RUNNING for one in self.running)

    def _status(self, experiment: str) -> str:
        return str(self.fis.get_experiment(id=experiment)["experiment"]["state"]["status"])


def attached(functions: Any, environment: str) -> bool:
    """Whether the functions that serve an environment have the fault layer (`functions`: boto3's Lambda client)."""
    found = functions.get_function_configuration(FunctionName=f"manuel-query-{environment}", Qualifier="live")
    return any(LAYER in layer["Arn"] for layer in found.get("Layers", []))
