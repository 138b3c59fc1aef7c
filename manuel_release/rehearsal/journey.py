"""Users of a deployed environment: one who tries everything once, and many who ask all the time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from manuel_release.aws.users import Users
from manuel_release.errors import EmulatorError
from manuel_release.rehearsal.load import Plan
from manuel_release.rehearsal.visitor import ask_until_known, send

if TYPE_CHECKING:
    from manuel_release.aws import Aws
    from manuel_release.rehearsal.recorder import Recorder

QUESTION = "What do I descale the kettle with?"
MANUAL = b"# Kettle\n\nDescale the kettle once a month with citric acid.\n"
SEED = 11


@dataclass(frozen=True)
class Place:
    """A deployed environment: where it answers, and its user pool."""

    url: str
    pool: str
    client: str

    @classmethod
    def of(cls, aws: Aws, endpoint: str, stack: str) -> Place:
        """By the outputs of its stack; raises EmulatorError when there is none."""
        found = aws.stacks.describe(stack)
        if found is None:
            raise EmulatorError(f"the stack {stack} is not there")
        out = found.outputs
        url = f"{endpoint}/_aws/execute-api/{out['ApiId']}/{out['ApiStage']}"
        return cls(url, out["UserPoolId"], out["UserPoolClientId"])

    def token(self, users: Users, name: str) -> str:
        """Of a new user, whose address nobody has: a rehearsal that is resumed makes them again."""
        email, password = f"{name}-{secrets.token_hex(4)}@example.com", f"Aa1!{secrets.token_hex(12)}"
        users.create(self.pool, email, password)
        return users.id_token(self.pool, self.client, email, password)


def try_everything(aws: Aws, place: Place, recorder: Recorder) -> tuple[str, ...]:
    """Sign up, upload a manual, ask a question about it; sentences about what was answered."""
    users, act, url = Users(aws.session), recorder.act, place.url
    token = act("sign up, sign in (Cognito id token)", lambda: place.token(users, "rehearsal"))
    act("without a token: 401", lambda: _expect(send("GET", f"{url}/api/usage").status, 401))
    act("upload a manual", lambda: _upload(url, token))
    usage = act("read the usage", lambda: send("GET", f"{url}/api/usage", token=token))
    _expect(usage.status, 200)
    used = usage.body["daily"]["used"]
    _expect(used, 1)
    answer = act("ask a question about it", lambda: ask_until_known(url, token, QUESTION))
    _expect([source["file_name"] for source in answer["sources"]], ["kettle.md"])
    if "citric acid" not in answer["answer"]:
        raise EmulatorError(f"the manual says citric acid, Manuel said: {answer['answer']}")
    return (f"A signed-in user asked {QUESTION!r}; Manuel answered {answer['answer']!r} from kettle.md.",)


def crowd(aws: Aws, place: Place, per_second: float, users: int) -> Plan:
    """Many users, made now, who are to ask all the time, at a fixed rate."""
    known, own = Users(aws.session), replace(place, client=_client(aws, place))
    tokens = tuple(own.token(known, f"user-{number}") for number in range(users))
    return Plan(place.url, tokens, per_second, SEED)


def _client(aws: Aws, place: Place) -> str:
    """An app client of the rehearsal's own, because production's takes passwords over SRP only."""
    answer = aws.session.client("cognito-idp").create_user_pool_client(
        UserPoolId=place.pool, ClientName="rehearsal", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    )
    return answer["UserPoolClient"]["ClientId"]


def _expect(found: object, wanted: object) -> None:
    if found != wanted:
        raise EmulatorError(f"got {found!r}, expected {wanted!r}")


def _upload(url: str, token: str) -> None:
    wanted = {"file_name": "kettle.md", "content_type": "text/markdown", "size_bytes": len(MANUAL)}
    reply = send("POST", f"{url}/api/manuals/upload", token=token, body=wanted)
    if reply.status != 201:
        raise EmulatorError(f"the upload was refused with {reply.status}: {reply.body}")
    upload = reply.body["upload"]
    put = send(upload["method"], upload["url"], raw=MANUAL, headers=upload["headers"])
    if put.status != 200:
        raise EmulatorError(f"S3 refused the manual with {put.status}: {put.text[:1200]}")
    listed = send("GET", f"{url}/api/manuals", token=token)
    _expect([manual["file_name"] for manual in listed.body["manuals"]], ["kettle.md"])
