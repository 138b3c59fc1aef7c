"""Lambda: versions, aliases and direct invocations.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from manuel_release.aws.errors import message_of, translated
from manuel_release.errors import Pending, ReleaseError
from manuel_release.model.traffic import Alias, Invocation

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import AliasConfigurationResponseTypeDef, AliasConfigurationTypeDef

    from manuel_release.aws.session import Session

LATEST = "$LATEST"
PUBLISH_SECONDS = 120.0
INVOKE_SECONDS = 910
"""A function may run for 900 s; giving up earlier would make the client invoke it a second time."""
_POLL_SECONDS = 0.5


class Functions:
    """Reads, publishes and invokes functions of one account and region."""

    def __init__(self, session: Session, sleep: Callable[[float], None] = time.sleep) -> None:
        self._session = session
        self._sleep = sleep

    @property
    def _client(self) -> LambdaClient:
        return self._session.client("lambda")

    def code_sha256(self, function: str) -> str:
        """Base64 SHA-256 of the code package that `$LATEST` has."""
        with translated(f"cannot read function {function}"):
            return self._client.get_function_configuration(FunctionName=function)["CodeSha256"]

    def wait_until_settled(self, function: str, timeout_seconds: float, *, qualifier: str = LATEST) -> None:
        """Wait until the function is Active and its last update has been applied.

        Raises:
            ReleaseError: Lambda gave up, with its reason.
            Pending: neither within `timeout_seconds`.
        """
        waited = 0.0
        while True:
            with translated(f"cannot read function {function}"):
                found = self._client.get_function_configuration(FunctionName=function, Qualifier=qualifier)
            state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
            if state == "Active" and update == "Successful":
                return
            if "Failed" in {state, update}:
                reason = found.get("StateReason") or found.get("LastUpdateStatusReason") or "Lambda gives no reason"
                raise ReleaseError(f"function {function} ({qualifier}) cannot run: {reason}")
            if waited >= timeout_seconds:
                raise Pending(
                    f"function {function} ({qualifier}) is still {state}, its update {update}, after {waited:.0f} s",
                    hint="Run the command again.",
                )
            self._sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS

    def publish(self, function: str, code_sha256: str, description: str) -> str:
        """Publish `$LATEST` and wait until the version can be invoked; returns the version's number.

        Lambda returns the last version again when neither code nor configuration differ from it.

        Args:
            function: its name.
            code_sha256: refused unless `$LATEST` has exactly this code: nobody put other code in between.
            description: of the version, at most 256 characters.

        Raises:
            ReleaseError: other code, or Lambda cannot make it run.
            Pending: it is not Active after PUBLISH_SECONDS.
        """
        with translated(f"cannot publish a version of function {function}"):
            try:
                published = self._client.publish_version(
                    FunctionName=function, CodeSha256=code_sha256, Description=description
                )
            except self._client.exceptions.InvalidParameterValueException as error:
                if "CodeSHA256" not in message_of(error):
                    raise
                raise ReleaseError(
                    f"function {function} is not published: its code was changed meanwhile ({message_of(error)})",
                    hint="Find out who else changes it, then deploy again.",
                ) from error
        version = published["Version"]
        if published.get("State", "Active") != "Active":
            self.wait_until_settled(function, PUBLISH_SECONDS, qualifier=version)
        return version

    def versions(self, function: str) -> tuple[str, ...]:
        """Numbers of the published versions, oldest first."""
        pages = self._client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
        with translated(f"cannot list the versions of function {function}"):
            found = [each["Version"] for page in pages for each in page["Versions"] if each["Version"] != LATEST]
        return tuple(sorted(found, key=int))

    def alias(self, function: str, name: str) -> Alias | None:
        """One alias; None when it, or the function, does not exist."""
        with translated(f"cannot read alias {name} of function {function}"):
            try:
                return _alias(function, self._client.get_alias(FunctionName=function, Name=name))
            except self._client.exceptions.ResourceNotFoundException:
                return None

    def aliases(self, function: str) -> tuple[Alias, ...]:
        """Every alias of the function."""
        pages = self._client.get_paginator("list_aliases").paginate(FunctionName=function)
        with translated(f"cannot list the aliases of function {function}"):
            return tuple(_alias(function, each) for page in pages for each in page["Aliases"])

    def create_alias(self, function: str, name: str, version: str, description: str) -> Alias:
        """Create an alias; one that is there already and names exactly this version is returned.

        Raises ReleaseError when it names another version: a release's alias never moves.
        """
        with translated(f"cannot create alias {name} of function {function}"):
            try:
                made = self._client.create_alias(
                    FunctionName=function, Name=name, FunctionVersion=version, Description=description
                )
                return _alias(function, made)
            except self._client.exceptions.ResourceConflictException:
                there = self.alias(function, name)
                if there is None:
                    raise
        if there.version != version or there.weights:
            raise ReleaseError(
                f"alias {name} of function {function} is not created: it exists and names version {there.version}, "
                f"not {version}",
                hint="A release's alias is never moved; deploy again, which makes a new release.",
            )
        return there

    def point_alias(self, alias: Alias, version: str) -> Alias:
        """Have an alias name this version alone, without weights; raises ReleaseError when it was moved meanwhile."""
        with translated(f"cannot move alias {alias.name} of function {alias.function} to version {version}"):
            moved = self._client.update_alias(
                FunctionName=alias.function,
                Name=alias.name,
                FunctionVersion=version,
                RoutingConfig={"AdditionalVersionWeights": {}},
                RevisionId=alias.revision_id,
            )
        return _alias(alias.function, moved)

    def delete_alias(self, function: str, name: str) -> None:
        """Delete an alias; harmless when it is gone."""
        with translated(f"cannot delete alias {name} of function {function}"):
            try:
                self._client.delete_alias(FunctionName=function, Name=name)
            except self._client.exceptions.ResourceNotFoundException:
                return

    def delete_version(self, function: str, version: str) -> None:
        """Delete a published version; harmless when it is gone. AWS refuses one that an alias names."""
        with translated(f"cannot delete version {version} of function {function}"):
            try:
                self._client.delete_function(FunctionName=function, Qualifier=version)
            except self._client.exceptions.ResourceNotFoundException:
                return

    def role_and_queue(self, function: str, qualifier: str) -> tuple[str, str]:
        """ARNs of a version's execution role and dead-letter queue (empty without one).

        Both versions of a weighted alias must have the same two:
        https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
        """
        with translated(f"cannot read function {function}:{qualifier}"):
            found = self._client.get_function_configuration(FunctionName=function, Qualifier=qualifier)
        return found["Role"], found.get("DeadLetterConfig", {}).get("TargetArn", "")

    def invoke(self, function: str, qualifier: str, payload: object) -> Invocation:
        """Invoke a version or an alias and wait for the answer; a function's own failure is told in `.error`."""
        client = self._session.client("lambda", read_seconds=INVOKE_SECONDS)
        with translated(f"cannot invoke function {function}:{qualifier}"):
            answer = client.invoke(
                FunctionName=function,
                Qualifier=qualifier,
                InvocationType="RequestResponse",
                Payload=json.dumps(payload).encode(),
            )
            with answer["Payload"] as stream:
                body = stream.read()
        returned = _json(body)
        kind = answer.get("FunctionError", "")
        return Invocation(
            payload=returned,
            error=f"{kind}: {_failure(returned)}" if kind else "",
            executed_version=answer.get("ExecutedVersion", ""),
        )


def _alias(function: str, found: AliasConfigurationTypeDef | AliasConfigurationResponseTypeDef) -> Alias:
    return Alias(
        function=function,
        name=found.get("Name", ""),
        version=found.get("FunctionVersion", ""),
        revision_id=found.get("RevisionId", ""),
        weights=dict(found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})),
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode(errors="replace")


def _failure(returned: Any) -> str:
    """The error object of https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html as one line."""
    if not isinstance(returned, dict):
        return str(returned)
    kind, message = returned.get("errorType", ""), returned.get("errorMessage", "")
    return ": ".join(each for each in (kind, message) if each) or json.dumps(returned)
