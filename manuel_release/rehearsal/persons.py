"""The people of a rehearsal: roles with the policies that pipeline.yaml has for them, and sessions of these roles."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from manuel_release.rehearsal import workspace
from manuel_release.rehearsal.process import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from manuel_release.aws.session import Session

SETTINGS = f"""
[people]
devops = ["arn:aws:sts::{ACCOUNT_ID}:assumed-role/rehearsal-devops/*"]
product = ["arn:aws:sts::{ACCOUNT_ID}:assumed-role/rehearsal-product/*"]

[people.authors]
"{workspace.AUTHOR}" = "arn:aws:iam::{ACCOUNT_ID}:user/developer"
"""
ON_CALL_ROLE = "manuel-on-call"
SESSION_SECONDS = 3600


@dataclass(frozen=True)
class Person:
    """Somebody with a role in the settings; `credentials` are environment variables."""

    role: str
    name: str
    credentials: Mapping[str, str]


def approver(session: Session, role: str, name: str) -> Person:
    """Somebody who may approve as `devops` or `product`, and nothing else; pipeline.yaml has made the policy."""
    iam = session.client("iam")
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    with suppress(iam.exceptions.EntityAlreadyExistsException):  # a rehearsal that is resumed
        iam.create_role(
            RoleName=f"rehearsal-{role}",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
    iam.attach_role_policy(
        RoleName=f"rehearsal-{role}", PolicyArn=f"arn:aws:iam::{ACCOUNT_ID}:policy/manuel-approver-{role}"
    )
    return Person(role, name, _session(session, f"rehearsal-{role}", name))


def on_call(session: Session, name: str) -> Person:
    """Whoever is on call, with the role that pipeline.yaml makes for them."""
    return Person("on-call", name, _session(session, ON_CALL_ROLE, name))


def write(person: Person, environment: Mapping[str, str], folder: Path) -> Path:
    """Write what makes a shell this person's: the embedded AWS, their credentials and the settings; the file.

    environment: variables that point AWS clients at the embedded AWS.
    """
    variables = {
        **environment,
        **person.credentials,
        "MANUEL_CONFIG": str(folder / "v1" / "manuel-release.toml"),
    }
    path = folder / f"{person.role}.env"
    path.touch(mode=0o600)
    path.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()))
    return path


def _session(session: Session, role: str, name: str) -> dict[str, str]:
    found = session.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/{role}", RoleSessionName=name, DurationSeconds=SESSION_SECONDS
    )["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": str(found["AccessKeyId"]),
        "AWS_SECRET_ACCESS_KEY": str(found["SecretAccessKey"]),
        "AWS_SESSION_TOKEN": str(found["SessionToken"]),
    }
