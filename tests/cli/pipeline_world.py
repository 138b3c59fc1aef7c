"""A pipeline in memory, and the command line on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cli.conftest import NOW, OfflineApp
from click.testing import CliRunner

from manuel_release.cli import root
from manuel_release.model.caller import Caller
from manuel_release.model.pipeline import ActionState, Execution, ExecutionStatus, PipelineState, StageState

if TYPE_CHECKING:
    from click.testing import Result

    from manuel_release.model.entry import Entry

USER = "arn:aws:iam::123456789012:user/"
SETTINGS = f"""
[people]
devops = ["{USER}ann"]
product = ["{USER}bob"]
[people.authors]
"dan@example.com" = "{USER}dan"
"""


def waiting(*names: str) -> StageState:
    actions = tuple(ActionState(name, ExecutionStatus.IN_PROGRESS, token=f"t-{name}", changed_at=NOW) for name in names)
    return StageState("ProductionApproval", ExecutionStatus.IN_PROGRESS, "e1", actions=actions)


@dataclass
class World:
    """AWS as the two commands see it; `made` are the calls that change something."""

    who: str = "ann"
    stages: tuple[StageState, ...] = (waiting("DevOps", "Product"),)
    made: list[tuple[Any, ...]] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    written: list[Entry] = field(default_factory=list)
    ran: tuple[Any, ...] = ()
    folder: Any = None

    def __post_init__(self) -> None:
        self.pipelines, self.storage, self.parameters, self.identity = self, self, self, self
        self.session = type("Session", (), {"region": "eu-west-1"})()

    def state(self, name: str) -> PipelineState:
        newest = Execution("e1", ExecutionStatus.IN_PROGRESS, NOW, NOW, "9d01c22f00", "Faster", "WebhookV2")
        return PipelineState(name, self.stages, (newest,))

    def __getattr__(self, name: str) -> Any:
        if name not in {"start", "stop", "retry", "pause", "resume", "decide"}:
            raise AttributeError(name)

        def call(*given: Any, **more: Any) -> str:
            more.pop("token", None)
            values = given[:2] if name == "start" else given
            self.made.append((name, *values, *more.values()))
            return "e2"

        return call

    def runs(self, name: str, execution_id: str) -> tuple[Any, ...]:
        return self.ran

    def upload(self, bucket: str, key: str, body: bytes) -> None:
        self.objects[key] = body

    def download(self, bucket: str, key: str) -> bytes | None:
        return self.objects.get(key)

    def get(self, name: str) -> str | None:
        return {"/manuel/operations/artifacts": "bucket", "/manuel/settings": SETTINGS}.get(name)

    def caller(self) -> Caller:
        return Caller("123456789012", f"{USER}{self.who}", "eu-west-1")

    def append(self, entry: Entry) -> None:
        self.written.append(entry)

    def entries(self, environment: str) -> tuple[Entry, ...]:
        return tuple(self.written)

    def __call__(self, *arguments: str, **environ: str) -> Result:
        def build(options: Any, screen: Any) -> OfflineApp:
            app = OfflineApp(options, screen)
            app.aws, app.known = self, self
            return app

        return CliRunner().invoke(root, arguments, obj=build, env=environ)
