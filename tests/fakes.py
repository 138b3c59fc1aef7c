"""An AWS in memory for the tests of flows: the same answers as `manuel_release.aws`, and faults that can be planted."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from unit.record.memory_table import MemoryTable

from manuel_release.errors import ReleaseError
from manuel_release.model.caller import Caller
from manuel_release.model.metric import MetricAnswers
from manuel_release.model.stack import (
    ALIAS,
    FUNCTION,
    Action,
    Change,
    ChangeSet,
    Resource,
    Stack,
    StackEvent,
)
from manuel_release.model.traffic import Alarm, Alias, ApiStage, Canary, Deployment, Invocation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from manuel_release.model.alarm import AlarmDefinition
    from manuel_release.model.metric import Metric
    from manuel_release.model.parameter import StoredValue
    from manuel_release.model.progress import StepResult

START = datetime(2026, 11, 23, 6, tzinfo=UTC)


@dataclass
class Clock:
    """Time that passes only when somebody sleeps."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Told:
    """A progress that keeps what it was told."""

    def __init__(self) -> None:
        self.starts: list[str] = []
        self.notes: list[str] = []
        self.ends: list[StepResult] = []

    def start(self, title: str) -> None:
        self.starts.append(title)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def end(self, result: StepResult) -> None:
        self.ends.append(result)


@dataclass
class FakeFunction:
    """One function: what $LATEST says it is, its versions (number -> release), and its aliases."""

    latest: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, Alias] = field(default_factory=dict)


@dataclass
class FakeAws:
    """All services in one object, each attribute answering as the real module does.

    functions_in_template: what the next stack update makes. stack_fault: the reason that the next one fails with.
    other_changes: what the next change set holds besides. stack_seconds: how long a stack update takes.
    broken: functions that answer 500. codedeploy_fault: the message that deployments fail with.
    codedeploy_seconds: how long a deployment takes. meanwhile: `service.method` -> what somebody else does before it.
    faults: `service.method` -> the error that it raises each time. calls: the changes. made: also the reads of the
    gateway, of SSM and of aliases.
    """

    clock: Clock = field(default_factory=Clock)
    functions_in_template: tuple[str, ...] = ("manuel-health-dev", "manuel-usage-dev")
    stack_fault: str = ""
    other_changes: tuple[Change, ...] = ()
    stack_seconds: float = 0.0
    codedeploy_seconds: float = 0.0
    broken: set[str] = field(default_factory=set)
    codedeploy_fault: str = ""
    api_stage: str = "dev"
    calls: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    meanwhile: dict[str, Callable[[], None]] = field(default_factory=dict)
    faults: dict[str, ReleaseError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.table_of = MemoryTable()
        self.stacks, self.functions = FakeStacks(self), FakeFunctions(self)
        self.gateway, self.deployments = FakeGateway(self), FakeDeployments(self)
        self.alarms, self.storage = FakeAlarms(), FakeStorage(self)
        self.parameters, self.metrics = FakeParameters(self), FakeMetrics()
        self.session = FakeSession(self.made)
        self.identity = type("Identity", (), {"caller": lambda _: CALLER})()

    def table(self, name: str) -> MemoryTable:
        return self.table_of

    def called(self, what: str, changes: bool = False) -> None:
        """A call arrives: what somebody else does first happens once, a planted fault each time."""
        self.made.append(what)
        if changes:
            self.calls.append(what.split(".")[1])
        if what in self.meanwhile:
            self.meanwhile.pop(what)()
        if what in self.faults:
            raise self.faults[what]


class FakeSession:
    """Counts calls as the real one does."""

    region = "eu-west-1"

    def __init__(self, made: list[str]) -> None:
        self.made = made

    @property
    def calls(self) -> tuple[str, ...]:
        return tuple(self.made)

    @property
    def count(self) -> int:
        return len(self.made)


CALLER = Caller("123456789012", "arn:aws:iam::123456789012:user/ann", "eu-west-1")


class FakeParameters:
    """Plain values by name, and what `read` answers by name or `name:version`."""

    def __init__(self, aws: FakeAws) -> None:
        self.aws = aws
        self.values: dict[str, str] = {}
        self.stored: dict[str, StoredValue] = {}

    def read(self, name: str) -> StoredValue | None:
        return self.stored.get(name)

    def get(self, name: str) -> str | None:
        self.aws.called("parameters.get")
        return self.values.get(name)

    def put(self, name: str, value: str) -> None:
        self.values[name] = value


class FakeMetrics:
    """Values by metric and moment; a metric that nobody gave values to has none."""

    def __init__(self) -> None:
        self.values: dict[Metric, dict[int, float]] = {}

    def read(self, metrics: Sequence[Metric], start: datetime, end: datetime) -> MetricAnswers:
        first, last = start.timestamp(), end.timestamp()
        found = {m: {t: v for t, v in self.values.get(m, {}).items() if first <= t < last} for m in metrics}
        return MetricAnswers(found, {})


class FakeAlarms:
    """Alarms and, of those that were made here, the definitions by name."""

    def __init__(self) -> None:
        self.all: tuple[Alarm, ...] = ()
        self.made: dict[str, AlarmDefinition] = {}

    def by_prefix(self, prefix: str) -> tuple[Alarm, ...]:
        return tuple(a for a in self.all if a.name.startswith(prefix))

    def put(self, alarm: AlarmDefinition) -> None:
        self.made[alarm.name] = alarm
        if alarm.name not in {a.name for a in self.all}:
            self.all = (*self.all, Alarm(alarm.name, f"arn:{alarm.name}", "INSUFFICIENT_DATA"))

    def delete(self, names: Sequence[str]) -> None:
        self.all = tuple(a for a in self.all if a.name not in names)


class FakeStorage:
    def __init__(self, aws: FakeAws) -> None:
        self.aws, self.objects = aws, dict[str, bytes]()

    def upload(self, bucket: str, key: str, body: bytes) -> None:
        self.objects[f"{bucket}/{key}"] = body

    def download(self, bucket: str, key: str) -> bytes | None:
        return self.objects.get(f"{bucket}/{key}")

    def template_url(self, bucket: str, key: str) -> str:
        return f"https://s3/{bucket}/{key}"


class FakeStacks:
    """Stacks whose update makes `functions_in_template` and the API, or fails with `stack_fault`.

    An update that takes time is done when somebody looks at the stack after it.
    """

    def __init__(self, aws: FakeAws) -> None:
        self.aws = aws
        self.there: dict[str, Stack] = {}
        self.change_sets: dict[str, dict[str, Any]] = {}
        self.past: list[StackEvent] = []
        self.texts: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.objected: tuple[StackEvent, ...] = ()
        self.at_work: tuple[datetime, dict[str, Any], str] | None = None
        self._ids = itertools.count(1)

    def describe(self, name: str) -> Stack | None:
        if self.at_work is not None and self.aws.clock.at >= self.at_work[0]:
            _, request, token = self.at_work
            self.at_work = None
            self._settle(request, token)
        by_id = (stack for stack in self.there.values() if stack.id == name)
        return self.there.get(name) or next(by_id, None)

    def resources(self, name: str) -> tuple[Resource, ...]:
        found = []
        for function in self.aws.functions.all:
            found.append(Resource(function, function, FUNCTION, "CREATE_COMPLETE"))
            arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{function}:live"
            found.append(Resource(f"{function}Live", arn, ALIAS, "CREATE_COMPLETE"))
        return tuple(found)

    def template(self, name: str) -> str:
        return self.texts.get(name, "")

    def latest_event(self, name: str) -> StackEvent | None:
        return self.past[-1] if self.past else None

    def events(self, name: str, after: datetime | None = None, token: str | None = None) -> tuple[StackEvent, ...]:
        return tuple(e for e in self.past if (after is None or e.at >= after) and token in {None, e.token})

    def objections(self, *, change_set: str = "", stack: str = "") -> tuple[StackEvent, ...]:
        return self.objected

    def create_change_set(self, **request: Any) -> ChangeSet:
        self.asked.append(request)
        name = f"arn:cs-{next(self._ids)}"
        stack = self.there.get(request["stack"])
        if stack is not None and not stack.never_created and stack.parameters == request["parameters"]:
            return ChangeSet("", request["stack"])
        if stack is None:
            self.there[request["stack"]] = Stack(request["stack"], "arn:stack", "REVIEW_IN_PROGRESS")
        self.change_sets[name] = request
        kind = Action.ADD if request["creates"] else Action.MODIFY
        changes = tuple(Change(kind, f, f, FUNCTION) for f in self.aws.functions_in_template)
        changes = (*changes, *self.aws.other_changes)
        return ChangeSet(name, request["stack"], changes, request["creates"], request.get("values", False))

    def _event(self, logical_id: str, status: str, token: str, reason: str = "") -> None:
        self.aws.clock.sleep(1)
        number = next(self._ids)
        one = StackEvent(f"e{number}", self.aws.clock.at, logical_id, logical_id, FUNCTION, status, reason, token)
        self.past.append(one)

    def execute(self, change_set_id: str, token: str) -> None:
        self.aws.calls.append("execute")
        request = self.change_sets.pop(change_set_id)
        stack = self.there[request["stack"]]
        kind = "CREATE" if stack.never_created else "UPDATE"
        self._event(stack.name, f"{kind}_IN_PROGRESS", token)
        if self.aws.stack_seconds:
            self.there[stack.name] = replace(stack, status=f"{kind}_IN_PROGRESS")
            self.at_work = (self.aws.clock.at + timedelta(seconds=self.aws.stack_seconds), request, token)
        else:
            self._settle(request, token)

    def _settle(self, request: dict[str, Any], token: str) -> None:
        stack = self.there[request["stack"]]
        new = stack.never_created or stack.status == "CREATE_IN_PROGRESS"
        outputs = {"ApiId": "api1", "ApiStage": self.aws.api_stage, "CodeDeployApplicationName": "app"}
        if self.aws.stack_fault:
            self._event("HealthFunction", "UPDATE_FAILED", token, self.aws.stack_fault)
            self._event("UsageFunction", "UPDATE_FAILED", token, "Resource update cancelled")
            self.there[stack.name] = replace(stack, status="ROLLBACK_COMPLETE" if new else "UPDATE_ROLLBACK_COMPLETE")
            return
        release = request["parameters"].get("ReleaseId", "")
        for name in self.aws.functions_in_template:
            function = self.aws.functions.all.setdefault(name, FakeFunction())
            function.latest = release
            if not function.versions:
                function.versions["1"] = release
                function.aliases["live"] = Alias(name, "live", "1")
            self._event(name, "UPDATE_COMPLETE", token)
        self.there[stack.name] = Stack(
            stack.name,
            stack.id,
            "CREATE_COMPLETE" if new else "UPDATE_COMPLETE",
            outputs=outputs,
            parameters=dict(request["parameters"]),
        )
        self.aws.gateway.stages.setdefault("api1", ApiStage("api1", self.aws.api_stage, "d1", {"release": "live"}))

    def delete_change_set(self, change_set_id: str) -> None:
        self.aws.calls.append("delete_change_set")
        del self.change_sets[change_set_id]

    def delete_stack(self, name: str) -> None:
        self.aws.calls.append("delete_stack")
        self.there.pop(name, None)


class FakeFunctions:
    def __init__(self, aws: FakeAws) -> None:
        self.aws = aws
        self.all: dict[str, FakeFunction] = {}
        self.roles: dict[tuple[str, str], str] = {}

    def wait_until_settled(self, function: str, timeout_seconds: float) -> None:
        assert function in self.all

    def code_sha256(self, function: str) -> str:
        return f"sha-{self.all[function].latest}"

    def publish(self, function: str, code_sha256: str, description: str) -> str:
        one = self.all[function]
        assert code_sha256 == f"sha-{one.latest}"
        newest = max(one.versions, key=int)
        if one.versions[newest] != one.latest:
            newest = str(int(newest) + 1)
            one.versions[newest] = one.latest
        return newest

    def versions(self, function: str) -> tuple[str, ...]:
        return tuple(sorted(self.all[function].versions, key=int))

    def alias(self, function: str, name: str) -> Alias | None:
        self.aws.called("functions.alias")
        return self.all[function].aliases.get(name) if function in self.all else None

    def aliases(self, function: str) -> tuple[Alias, ...]:
        self.aws.called("functions.aliases")
        return tuple(self.all[function].aliases.values())

    def create_alias(self, function: str, name: str, version: str, description: str) -> Alias:
        self.aws.called("functions.create_alias")
        if version not in self.all[function].versions:
            raise ReleaseError(f"{function} has no version {version}")
        there = self.all[function].aliases.setdefault(name, Alias(function, name, version))
        if there.version != version:
            raise ReleaseError(f"{name} of {function} is on {there.version}")
        return there

    def point_alias(self, alias: Alias, version: str) -> Alias:
        self.aws.called("functions.point_alias", changes=True)
        one = self.all[alias.function]
        if one.aliases[alias.name] != alias:
            raise ReleaseError(f"{alias.name} of {alias.function} was moved meanwhile")
        if version not in one.versions:
            raise ReleaseError(f"{alias.function} has no version {version}")
        one.aliases[alias.name] = Alias(alias.function, alias.name, version, f"moved-{len(self.aws.made)}")
        return one.aliases[alias.name]

    def delete_alias(self, function: str, name: str) -> None:
        self.aws.called("functions.delete_alias", changes=True)
        self.all[function].aliases.pop(name, None)

    def delete_version(self, function: str, version: str) -> None:
        self.aws.called("functions.delete_version", changes=True)
        one = self.all[function]
        if any(a.version == version or version in a.weights for a in one.aliases.values()):
            raise ReleaseError(f"version {version} of {function} has an alias")
        one.versions.pop(version, None)

    def role_and_queue(self, function: str, qualifier: str) -> tuple[str, str]:
        one = self.all[function]
        version = one.aliases[qualifier].version if qualifier in one.aliases else qualifier
        return self.roles.get((function, version), f"arn:aws:iam::123456789012:role/{function}"), ""

    def invoke(self, function: str, qualifier: str, payload: object) -> Invocation:
        if qualifier not in self.all[function].aliases:
            raise ReleaseError(f"cannot invoke function {function}:{qualifier}: Function not found")
        version = self.all[function].aliases[qualifier].version
        release = self.all[function].versions[version]
        status = 500 if function in self.aws.broken else 200
        body = {"statusCode": status, "headers": {"X-Manuel-Release": release}, "body": "{}"}
        return Invocation(body, "", version)


class FakeGateway:
    """Stages by API id. `deployments`: what a stage may serve; flushed: how often its stored responses were dropped."""

    def __init__(self, aws: FakeAws) -> None:
        self.aws = aws
        self.stages: dict[str, ApiStage] = {}
        self.flushed = 0

    def name(self, rest_api_id: str) -> str:
        return f"manuel-{rest_api_id}"

    def stage(self, rest_api_id: str, stage: str) -> ApiStage | None:
        self.aws.called("gateway.stage")
        return self.stages.get(rest_api_id)

    def write_variables(self, rest_api_id: str, stage: str, variables: Mapping[str, str]) -> ApiStage:
        self.aws.called("gateway.write_variables", changes=True)
        there = self._there(rest_api_id, stage)
        return self._put(replace(there, variables={**there.variables, **variables}))

    def shift(
        self,
        rest_api_id: str,
        stage: str,
        *,
        variables: Mapping[str, str] | None = None,
        percent: float | None = None,
        release: str | None = None,
        at_once: bool = False,
    ) -> ApiStage:
        self.aws.called("gateway.shift", changes=True)
        there = self._there(rest_api_id, stage)
        canary = there.canary
        if percent is not None or release is not None:
            old = canary or Canary(0.0, None)
            canary = Canary(old.percent if percent is None else percent, release or old.release)
        return self._put(replace(there, variables={**there.variables, **(variables or {})}, canary=canary))

    def remove_canary(self, rest_api_id: str, stage: str) -> ApiStage:
        self.aws.called("gateway.remove_canary", changes=True)
        return self._put(replace(self._there(rest_api_id, stage), canary=None))

    def use_deployment(self, rest_api_id: str, stage: str, deployment_id: str) -> ApiStage:
        self.aws.called("gateway.use_deployment", changes=True)
        there = self._there(rest_api_id, stage)
        if there.canary is not None:
            raise ReleaseError("a stage with a canary keeps its deployment")
        return self._put(replace(there, deployment_id=deployment_id))

    def flush_cache(self, rest_api_id: str, stage: str) -> None:
        self.aws.called("gateway.flush_cache", changes=True)
        self._there(rest_api_id, stage)
        self.flushed += 1

    def _there(self, rest_api_id: str, stage: str) -> ApiStage:
        if rest_api_id not in self.stages:
            raise ReleaseError(f"cannot change stage {stage} of API {rest_api_id}: Invalid stage identifier specified")
        return self.stages[rest_api_id]

    def _put(self, stage: ApiStage) -> ApiStage:
        self.stages[stage.rest_api_id] = stage
        return stage


class FakeDeployments:
    """Deployments that take effect at once or after `codedeploy_seconds`, or fail with `codedeploy_fault`.

    While one is under way, its alias has both versions with half of the traffic each, as in a gradual one.
    """

    def __init__(self, aws: FakeAws) -> None:
        self.aws = aws
        self.made: dict[str, Deployment] = {}
        self.asked: dict[str, dict[str, Any]] = {}
        self.stopped: list[str] = []
        self.at_work: dict[str, tuple[datetime, dict[str, Any]]] = {}

    def active(self, application: str, group: str) -> tuple[str, ...]:
        self.aws.called("deployments.active")
        for name in tuple(self.made):
            self.get(name)
        return tuple(d.id for d in self.made.values() if not d.over and d.group == group)

    def create(self, **request: Any) -> str:
        self.aws.called("deployments.create", changes=True)
        name = f"d-{len(self.made) + 1}"
        function = self.aws.functions.all[request["function"]]
        live = function.aliases["live"]
        assert (live.version, dict(live.weights)) == (request["current_version"], {})
        self.made[name] = Deployment(name, request["group"], "InProgress", description=request.get("description", ""))
        self.asked[name] = request
        self.at_work[name] = (self.aws.clock.at + timedelta(seconds=self.aws.codedeploy_seconds), request)
        function.aliases["live"] = replace(live, weights={request["target_version"]: 0.5})
        self.get(name)
        return name

    def get(self, deployment_id: str) -> Deployment:
        ends, request = self.at_work.get(deployment_id, (None, {}))
        if ends is not None and self.aws.clock.at >= ends:
            del self.at_work[deployment_id]
            self._end(deployment_id, request, self.aws.codedeploy_fault)
        return self.made[deployment_id]

    def _end(self, name: str, request: dict[str, Any], fault: str, status: str = "Failed") -> None:
        version = request["current_version"] if fault else request["target_version"]
        self.aws.functions.all[request["function"]].aliases["live"] = Alias(request["function"], "live", version)
        self.made[name] = replace(self.made[name], status=status if fault else "Succeeded", message=fault)

    def stop(self, deployment_id: str, roll_back: bool) -> None:
        self.aws.called("deployments.stop", changes=True)
        self.stopped.append(deployment_id)
        if roll_back and deployment_id in self.at_work:
            _, request = self.at_work.pop(deployment_id)
            self._end(deployment_id, request, "stopped on request", "Stopped")
