"""AWS's errors in this product's words: what was being done, what AWS answers, and what to run next.

Error codes: the "Common errors" page of each service's API reference, for example
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html, and botocore's models.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from manuel_release.aws.masking import masked
from manuel_release.errors import AccessError, ReleaseError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.exceptions import ClientError

CREDENTIALS_HINT = (
    "Sign in (`aws sso login` or `aws login`), or name other credentials with --profile or AWS_PROFILE; "
    "`aws sts get-caller-identity` shows whether they work."
)
CLOCK_HINT = "Set this machine's clock: AWS refuses requests that are more than a few minutes off."
BUSY_HINT = "AWS is slowing this account down; wait a minute and run the command again, nothing is lost."

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_INVALID = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_CLOCK = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
_DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "Forbidden",
        "ForbiddenException",
        "NotAuthorized",
        "UnauthorizedException",
        "UnauthorizedOperation",
    }
)
_THROTTLED = frozenset(
    {
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_NOT_AUTHORIZED = re.compile(
    r"(?P<who>arn:\S+) is not authorized to perform: (?P<action>[\w-]+:[\w*]+)"
    r"(?: on resource: (?P<resource>\S+))?(?P<why>.*)",
    re.DOTALL,
)
_REGION = re.compile(r"\b[a-z]{2,4}(?:-[a-z]+)+-\d+\b")


def code_of(error: BaseException) -> str:
    """AWS's error code (`ResourceNotFoundException`, `404`), also of a ReleaseError made from one; `""` when none."""
    for candidate in (error, error.__cause__):
        response = getattr(candidate, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return ""


def message_of(error: BaseException) -> str:
    """AWS's own sentence, without botocore's words around it; the error's text when AWS did not send one."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return masked(str(response.get("Error", {}).get("Message") or error))
    return masked(str(error))


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn errors of botocore inside the block (or the decorated function) into ours.

    Args:
        what: what did not work, as the beginning of a sentence: `cannot read stack manuel-dev`.

    Raises:
        AccessError: no credentials, expired or unknown ones, or a permission is missing.
        SettingsError: no such region, or the configuration files are broken.
        ReleaseError: everything else; `code_of` tells AWS's code.
    """
    try:
        yield
    except ReleaseError:
        raise
    except Exception as error:
        ours = translation(error, what)
        if ours is None:
            raise
        raise ours from error


def translation(error: Exception, what: str) -> ReleaseError | None:
    """Our error for one of botocore's; None for an error that does not come from there."""
    from botocore import exceptions as aws  # noqa: PLC0415 - loaded already when it is one of them
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    if isinstance(error, aws.ClientError):
        return _of_service(error, what)
    if isinstance(error, (aws.HTTPClientError, aws.ConnectionError, ResponseParserError)):
        return _of_network(error, what)
    if not isinstance(error, aws.BotoCoreError):
        return None
    sentence = f"{what}: {message_of(error)}"
    match error:
        case aws.ProfileNotFound():
            ours: ReleaseError = AccessError(
                sentence, hint="`aws configure list-profiles` lists the profiles that exist."
            )
        case (
            aws.CredentialRetrievalError()
            | aws.LoginError()
            | aws.MetadataRetrievalError()
            | aws.NoAuthTokenError()
            | aws.NoCredentialsError()
            | aws.PartialCredentialsError()
            | aws.RefreshWithMFAUnsupportedError()
            | aws.SSOError()
            | aws.TokenRetrievalError()
            | aws.UnknownCredentialError()
        ):
            ours = AccessError(sentence, hint=CREDENTIALS_HINT)
        case aws.NoRegionError() | aws.InvalidRegionError():
            ours = SettingsError(sentence, hint="Name the region with --region or AWS_REGION.")
        case aws.ConfigParseError() | aws.ConfigNotFound() | aws.InvalidConfigError():
            ours = SettingsError(sentence, hint="Correct the AWS configuration file that is named above.")
        case _:
            ours = ReleaseError(sentence)
    return ours


def _of_network(error: Exception, what: str) -> ReleaseError:
    region = _REGION.search(str(error))
    where = f", and that {region[0]} is the region that you mean" if region else ""
    return ReleaseError(f"{what}: {error}", hint=f"Check the network (VPN, proxy){where}; then run the command again.")


def _of_service(error: ClientError, what: str) -> ReleaseError:
    code, message = code_of(error), message_of(error)
    sentence = f"{what}: {message}"
    if code in _CLOCK or "Signature expired" in message or "Signature not yet current" in message:
        return AccessError(sentence, hint=CLOCK_HINT)
    if code in _EXPIRED:
        return AccessError(f"{what}: the credentials have expired ({message})", hint=CREDENTIALS_HINT)
    if code in _INVALID:
        return AccessError(f"{what}: AWS does not accept the credentials ({message})", hint=CREDENTIALS_HINT)
    if code in _DENIED:
        return _of_denial(error, what)
    if code in _THROTTLED:
        return ReleaseError(sentence, hint=BUSY_HINT)
    return ReleaseError(sentence)


def _of_denial(error: ClientError, what: str) -> AccessError:
    match = _NOT_AUTHORIZED.search(message_of(error))
    if match is None:
        action, resource = error.operation_name, ""
        sentence = f"{what}: {message_of(error)} ({action})"
    else:
        action, resource = match["action"], (match["resource"] or "").rstrip(".,")
        on = f" on {resource}" if resource else ""
        sentence = f"{what}: {match['who']} is not allowed to do {action}{on}{match['why'].rstrip('.')}"
    on = f" on `{resource}`" if resource else ""
    return AccessError(
        sentence, hint=f"Have `{action}`{on} allowed, or name other credentials with --profile or AWS_PROFILE."
    )
