"""What a rehearsal begins with: a copy of the working tree, rehearsal values of its settings, and an embedded AWS."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from manuel_release import programs
from manuel_release.rehearsal import knowledge, persons
from manuel_release.rehearsal.process import EmbeddedCloud, Options

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from manuel_release.aws.session import Session

SETTINGS = """# Rehearsal values of ordinary settings: shorter steps, and wider margins, which fewer requests prove.
api_url = "{endpoint}/_aws/execute-api/{{api_id}}/{{stage}}"
poll_seconds = 0.3
lease_seconds = 120
canary_interval_seconds = 1
canary_delay_seconds = 3
canary_minute_delay_seconds = 5
canary_margin_5xx_percent = 5
canary_margin_4xx_percent = 10
canary_margin_slow_percent = 20
canary_start_grace_seconds = 30
canary_step_grace_seconds = 15
canary_stale_seconds = 5
canary_observe_seconds = [{steps}]
canary_least_seconds = 20
heartbeat_seconds = {heartbeat:g}
probe_seconds = 15

"""
PROFILE = {False: "smoke", True: "full"}
"""Which part of each suite runs, by whether the rehearsal is a full one."""
PACKAGES = ("UV_", "PIP_")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
LAYER = "tests/integration/chaos/layer"


@dataclass(frozen=True)
class Pace:
    """How fast what takes long on AWS is here.

    steps: how long each step of a canary is observed at the most, in seconds. heartbeat: seconds without an observer
    until the guard acts. alarms: seconds of an alarm's period that pass in one. shift, approval: seconds that a minute
    of a CodeDeploy deployment, and of an approval's timeout, takes.
    """

    steps: tuple[int, int, int] = (240, 240, 15)
    heartbeat: float = 20.0
    alarms: float = 30.0
    shift: float = 3.0
    approval: float = 60.0


def start(folder: Path, region: str, pace: Pace, *, full: bool, tied: bool = True) -> EmbeddedCloud:
    """An embedded AWS that enforces IAM, whose builds use the environments that are installed here.

    tied: it ends when this process does.
    """
    return EmbeddedCloud.start(
        folder / "cloud",
        Options(
            region=region,
            auth=True,
            tied=tied,
            alarm_speed=pace.alarms,
            shift_seconds_per_minute=pace.shift,
            approval_seconds_per_minute=pace.approval,
            build_environment=installed() | {"PROFILE": PROFILE[full], "MYPY_CACHE_DIR": str(folder / "mypy")},
        ),
    )


def installed() -> dict[str, str]:
    """Variables that tell builds where the environments of this machine are, and where it gets packages from."""
    home = Path.home()  # a build has a home of its own, and its buildspec caches of CodeBuild's
    files = {"UV_CONFIG_FILE": home / ".config/uv/uv.toml", "PIP_CONFIG_FILE": home / ".config/pip/pip.conf"}
    return {
        "UV_CACHE_DIR": str(home / ".cache/uv"),
        "PIP_CACHE_DIR": str(home / ".cache/pip"),
        **{name: str(path) for name, path in files.items() if path.is_file()},
        **{name: value for name, value in os.environ.items() if name.startswith(PACKAGES) or name in CERTIFICATES},
        "VENV": sys.prefix,
        "MANUEL_ENVS": str(programs.folder()),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def write_settings(folder: Path, endpoint: str, pace: Pace) -> None:
    """Put rehearsal values and people into a version's settings."""
    path = folder / "manuel-release.toml"
    values = SETTINGS.format(
        endpoint=endpoint, steps=", ".join(str(seconds) for seconds in pace.steps), heartbeat=pace.heartbeat
    )
    path.write_text(values + path.read_text(encoding="utf-8") + persons.SETTINGS, encoding="utf-8")


def write_account(cloud: EmbeddedCloud, session: Session, folder: Path) -> None:
    """What only an account knows, into the parameter files: its knowledge bases, and the fault layer for staging."""
    knowledge.prepare(cloud, folder)
    path = folder / "parameters-staging.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    values["FaultInjectionLayer"] = publish_layer(session.client("lambda"), folder / LAYER)
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def publish_layer(functions: LambdaClient, folder: Path) -> str:
    """Publish the fault layer of a folder, as the stack of chaos.yaml does; its ARN."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.rglob("*.py")):
            archive.write(path, path.relative_to(folder))
    answer = functions.publish_layer_version(LayerName="manuel-faults", Content={"ZipFile": packed.getvalue()})
    return str(answer["LayerVersionArn"])
