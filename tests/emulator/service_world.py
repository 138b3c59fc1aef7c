"""The service as its users see it: deployed once on an embedded AWS of its own, and asked over HTTP."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulator.builders import until
from emulator.desk_world import Desk

from manuel_release import programs
from manuel_release.rehearsal import knowledge
from manuel_release.rehearsal.ai import speech

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from manuel_release.rehearsal.process import EmbeddedCloud

SECONDS = 60.0
SECURITY_HEADERS = {
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "Content-Security-Policy",
    "X-Frame-Options",
    "Referrer-Policy",
}
KETTLE = "# Kettle\n\nDescale the kettle once a month with citric acid.\n"
TOASTER = "# Toaster\n\nEmpty the crumb tray of the toaster every Friday evening.\n"


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


def request(method: str, url: str, *, data: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
    """One HTTP request; every status is an answer."""
    asked = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
            return Reply(answer.status, dict(answer.headers.items()), answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, dict(error.headers.items()), error.read().decode())


class Service(Desk):
    """The deployed service of one environment; `outputs` are those of its stack."""

    def __init__(self, folder: Path, cloud: EmbeddedCloud, outputs: dict[str, str] | None = None) -> None:
        super().__init__(folder, cloud)
        self.outputs = outputs or {}

    @property
    def url(self) -> str:
        return f"{self.cloud.endpoint}/_aws/execute-api/{self.outputs['ApiId']}/{self.outputs['ApiStage']}"

    def user(self) -> User:
        """A new user who is signed in."""
        email, password = f"{secrets.token_hex(6)}@example.com", f"Aa1!{secrets.token_hex(12)}"
        cognito, pool = self.client("cognito-idp"), self.outputs["UserPoolId"]
        cognito.admin_create_user(UserPoolId=pool, Username=email, MessageAction="SUPPRESS")
        cognito.admin_set_user_password(UserPoolId=pool, Username=email, Password=password, Permanent=True)
        answer = cognito.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=self.outputs["UserPoolClientId"],
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": password},
        )
        return User(self, answer["AuthenticationResult"]["IdToken"])

    def faults(self, service: str | None = None, **plan: float) -> None:
        """Plan what goes wrong with an AI service; without one, end all faults."""
        url = f"{self.cloud.ai_endpoint}/_rehearsal/faults"
        if service is None:
            request("DELETE", url)
        else:
            assert request("PUT", f"{url}/{service}", data=json.dumps(plan).encode()).status == 200

    def ai_calls(self, service: str) -> int:
        """How often an AI service was called."""
        return int(request("GET", f"{self.cloud.ai_endpoint}/_rehearsal/faults").json["calls"].get(service, 0))


@dataclass
class User:
    """A signed-in user of the service."""

    service: Service
    token: str

    @property
    def sub(self) -> str:
        payload = self.token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"])

    def ask(self, method: str, path: str, body: object = None) -> Reply:
        headers = {"Authorization": self.token, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        return request(method, self.service.url + path, data=data, headers=headers)

    def upload(self, name: str, text: str) -> str:
        """Upload a manual as an app does; its id."""
        wanted = self.ask("POST", "/api/manuals/upload", {"file_name": name, "size_bytes": len(text.encode())})
        assert wanted.status == 201, wanted.text
        permission = wanted.json["upload"]
        put = request(permission["method"], permission["url"], data=text.encode(), headers=permission["headers"])
        assert put.status == 200, put.text
        return str(wanted.json["manual_id"])

    def query(self, question: str) -> Reply:
        return self.ask("POST", "/api/query", {"question": question})

    def knows(self, question: str) -> Any:
        """The answer as soon as there is one; every question counts towards the user's quota, so they are few."""

        def ask() -> Any:
            return (answer := self.query(question)).status == 200 and answer.json["sources"] and answer.json

        return until(ask, pause=1.0)

    def say(self, text: str, content_type: str = "audio/wav") -> Reply:
        audio = base64.b64encode(speech.recording(text)).decode()
        return self.ask("POST", "/api/transcribe", {"audio_data": audio, "content_type": content_type})


@contextlib.contextmanager
def deployed(folder: Path, **parameters: str | Callable[[Service], str]) -> Iterator[Service]:
    """The service in dev on an embedded AWS of its own.

    A parameter may be a function: it is called when the embedded AWS runs, and makes what the parameter names.
    """
    with Service.of_checkout(folder) as made:
        path = made.folder / "parameters-dev.json"
        values = {name: value if isinstance(value, str) else value(made) for name, value in parameters.items()}
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
        knowledge.prepare(made.cloud, made.folder)
        made.json("bootstrap", "--yes")
        made.json("deploy", "--env", "dev", "--yes")
        made.outputs = made.stack_outputs("manuel-dev")
        yield made


def sam_deploy(service: Service, stack: str, parameters: str) -> subprocess.CompletedProcess[str]:
    """Plain `sam deploy` of the template that was built last, with the values of a parameter file."""
    sam = programs.program("build", "sam")
    environment = service.cloud.environment()
    environment |= {"PATH": f"{sam.parent}{os.pathsep}{environment['PATH']}", "SAM_CLI_TELEMETRY": "0"}
    values = json.loads((service.folder / parameters).read_text())
    bucket = service.stack_outputs("manuel-operations")["ArtifactBucketName"]
    return subprocess.run(
        [
            *(str(sam), "deploy", "--template-file", ".aws-sam/build/template.yaml", "--stack-name", stack),
            *("--s3-bucket", bucket, "--s3-prefix", "by-hand", "--capabilities", "CAPABILITY_NAMED_IAM"),
            *("--no-confirm-changeset", "--no-progressbar", "--parameter-overrides"),
            *(f"{name}={value}" for name, value in values.items()),
        ],
        cwd=service.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
