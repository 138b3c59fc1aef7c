from __future__ import annotations

import pytest
from botocore import exceptions as botocore_errors
from botocore.parsers import ResponseParserError

from manuel_release.aws import Session
from manuel_release.aws.errors import code_of, message_of, translated
from manuel_release.errors import AccessError, Refused, ReleaseError, SettingsError

USER = "arn:aws:iam::123456789012:user/jane"
ALIAS = "arn:aws:lambda:eu-west-1:123456789012:function:manuel-health-prod"


def client_error(code: str, message: str = "AWS says so", operation: str = "UpdateAlias"):
    return botocore_errors.ClientError({"Error": {"Code": code, "Message": message}}, operation)


def ours(error: Exception) -> ReleaseError:
    """What `translated` makes of an error of botocore."""
    with pytest.raises(ReleaseError) as raised, translated("cannot do it"):
        raise error
    return raised.value


def test_any_other_error_keeps_awss_own_words_and_its_code() -> None:
    error = ours(client_error("ResourceConflictException", "Alias already exists"))

    assert type(error) is ReleaseError
    assert (error.message, error.hint) == ("cannot do it: Alias already exists", "")
    assert code_of(error) == "ResourceConflictException"


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_expired_credentials_say_how_to_sign_in(code) -> None:
    error = ours(client_error(code, "The security token included in the request is expired"))

    assert isinstance(error, AccessError)
    assert "the credentials have expired" in error.message
    assert "aws sso login" in error.hint
    assert "AWS_PROFILE" in error.hint


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"])
def test_credentials_that_aws_does_not_know_say_how_to_sign_in(code) -> None:
    error = ours(client_error(code))

    assert isinstance(error, AccessError)
    assert "AWS does not accept the credentials (AWS says so)" in error.message
    assert "aws sso login" in error.hint


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidSignatureException", "Signature expired: 20261123T060000Z is now earlier than 20261123T070000Z"),
        ("SignatureDoesNotMatch", "Signature not yet current: 20261123T080000Z is still later than 20261123T070000Z"),
        ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
    ],
)
def test_a_wrong_clock_is_not_blamed_on_the_credentials(code, message) -> None:
    error = ours(client_error(code, message))

    assert isinstance(error, AccessError)
    assert "clock" in error.hint


def test_a_missing_permission_names_who_what_and_on_which_resource() -> None:
    why = "because no identity-based policy allows the lambda:UpdateAlias action"
    text = f"User: {USER} is not authorized to perform: lambda:UpdateAlias on resource: {ALIAS} {why}"

    error = ours(client_error("AccessDeniedException", text))

    assert isinstance(error, AccessError)
    assert error.message == f"cannot do it: {USER} is not allowed to do lambda:UpdateAlias on {ALIAS} {why}"
    assert error.hint.startswith(f"Have `lambda:UpdateAlias` on `{ALIAS}` allowed")


def test_a_missing_permission_without_a_resource_names_the_action() -> None:
    error = ours(client_error("AccessDenied", f"User: {USER} is not authorized to perform: ssm:GetParameter"))

    assert error.message == f"cannot do it: {USER} is not allowed to do ssm:GetParameter"
    assert error.hint.startswith("Have `ssm:GetParameter` allowed")


@pytest.mark.parametrize("code", ["403", "Forbidden", "UnauthorizedException", "AccessDenied"])
def test_a_denial_that_says_nothing_names_the_operation(code) -> None:
    error = ours(client_error(code, "Forbidden", "HeadObject"))

    assert isinstance(error, AccessError)
    assert error.message == "cannot do it: Forbidden (HeadObject)"
    assert error.hint.startswith("Have `HeadObject` allowed")


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException", "SlowDown"])
def test_throttling_that_outlasts_the_retries_says_to_run_it_again(code) -> None:
    error = ours(client_error(code, "Rate exceeded"))

    assert type(error) is ReleaseError
    assert error.message == "cannot do it: Rate exceeded"
    assert "run the command again" in error.hint


def test_no_credentials_at_all_is_an_access_error() -> None:
    session = Session(None, "eu-west-1", "eu-west-1")

    with (
        pytest.raises(AccessError, match="cannot ask: Unable to locate credentials") as raised,
        translated("cannot ask"),
    ):
        session.client("sts").get_caller_identity()

    assert "aws sso login" in raised.value.hint
    session.close()


@pytest.mark.parametrize(
    "error",
    [
        botocore_errors.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        botocore_errors.CredentialRetrievalError(provider="custom-process", error_msg="no such program"),
        botocore_errors.UnauthorizedSSOTokenError(),
        botocore_errors.SSOTokenLoadError(error_msg="Token for work does not exist"),
        botocore_errors.TokenRetrievalError(provider="sso", error_msg="Token has expired and refresh failed"),
        botocore_errors.LoginRefreshRequired(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_credentials_that_cannot_be_read_say_how_to_sign_in(error) -> None:
    made = ours(error)

    assert isinstance(made, AccessError)
    assert str(error) in made.message
    assert "aws sso login" in made.hint


def test_a_region_that_does_not_exist_is_named_in_the_hint() -> None:
    error = ours(botocore_errors.EndpointConnectionError(endpoint_url="https://lambda.eu-wst-1.amazonaws.com/"))

    assert type(error) is ReleaseError
    assert 'Could not connect to the endpoint URL: "https://lambda.eu-wst-1.amazonaws.com/"' in error.message
    assert "eu-wst-1 is the region that you mean" in error.hint


@pytest.mark.parametrize(
    "error",
    [
        botocore_errors.ConnectTimeoutError(endpoint_url="http://127.0.0.1:1"),
        botocore_errors.ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
        botocore_errors.ProxyConnectionError(proxy_url="http://127.0.0.1:1"),
        ResponseParserError("Unable to parse response, a page of the hotel's network"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_network_failure_says_to_check_the_network(error) -> None:
    made = ours(error)

    assert type(made) is ReleaseError
    assert "Check the network (VPN, proxy); then run the command again." in made.hint


def test_a_broken_region_or_configuration_is_a_settings_error() -> None:
    region = ours(botocore_errors.InvalidRegionError(region_name="eu west 1"))
    config = ours(botocore_errors.ConfigParseError(path="/home/jane/.aws/config"))

    assert (type(region), type(config)) == (SettingsError, SettingsError)
    assert "--region" in region.hint
    assert "/home/jane/.aws/config" in config.message


def test_what_botocore_itself_refuses_is_told_in_its_words() -> None:
    error = ours(botocore_errors.ParamValidationError(report="Missing required parameter"))

    assert error.message == "cannot do it: Parameter validation failed:\nMissing required parameter"


def test_our_own_errors_and_foreign_ones_pass_unchanged() -> None:
    refused, broken = Refused("held"), ZeroDivisionError("x")

    for error in (refused, broken):
        with pytest.raises(type(error)) as raised, translated("cannot do it"):
            raise error
        assert raised.value is error


def test_the_original_error_stays_attached() -> None:
    error = client_error("NotFoundException")

    assert ours(error).__cause__ is error


def test_a_function_can_be_decorated() -> None:
    @translated("cannot compute")
    def compute():
        raise client_error("ValidationError", "bad")

    with pytest.raises(ReleaseError, match="cannot compute: bad"):
        compute()


def test_errors_without_a_code_have_none() -> None:
    assert code_of(ReleaseError("x")) == ""
    assert code_of(botocore_errors.NoCredentialsError()) == ""


def test_an_error_without_a_message_is_told_in_botocores_words() -> None:
    error = botocore_errors.ClientError({"Error": {"Code": "400"}}, "ListDeployments")

    assert "ListDeployments" in message_of(error)


def test_an_error_that_aws_did_not_send_is_told_in_its_own_words() -> None:
    assert message_of(ReleaseError("the reason")) == "the reason"
