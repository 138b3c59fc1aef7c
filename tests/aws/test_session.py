from __future__ import annotations

import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from manuel_release import __version__
from manuel_release.aws import Aws, Session
from manuel_release.errors import AccessError, ReleaseError


def loaded_after(code: str) -> list[str]:
    """Which of the SDK's packages a fresh interpreter has loaded after `code`."""
    show = "; import sys; print(*[name for name in ('boto3', 'botocore') if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code + show], capture_output=True, text=True, check=True)
    return ran.stdout.split()


def test_importing_the_package_loads_nothing_of_the_sdk() -> None:
    assert loaded_after("import manuel_release.aws") == []


def test_making_everything_but_a_client_loads_nothing_of_the_sdk() -> None:
    code = (
        "from manuel_release.aws import Aws, Session; a = Aws(Session('p', 'eu-west-1', 'eu-west-1')); "
        "a.identity, a.stacks, a.functions, a.gateway, a.deployments, a.alarms, a.storage, a.parameters, a.table('t')"
    )

    assert loaded_after(code) == []


def test_a_client_loads_botocore_and_not_boto3() -> None:
    code = "from manuel_release.aws import Session; Session(None, 'eu-west-1', 'eu-west-1').client('sts')"

    assert loaded_after(code) == ["botocore"]


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """A configuration file with the profile `work`, which names eu-north-1."""
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = eu-north-1\n[profile silent]\noutput = json\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    return "work"


def test_the_flag_beats_environment_profile_and_settings(profile, monkeypatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    assert Session(profile, "ap-south-1", "eu-west-1").region == "ap-south-1"


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_environment_beats_profile_and_settings(profile, monkeypatch, variable) -> None:
    monkeypatch.setenv(variable, "us-east-1")

    assert Session(profile, None, "eu-west-1").region == "us-east-1"


def test_aws_region_beats_aws_default_region(monkeypatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    assert Session(None, None, "eu-west-1").region == "us-east-1"


def test_the_profile_beats_the_settings(profile) -> None:
    assert Session(profile, None, "eu-west-1").region == "eu-north-1"


def test_aws_profile_counts_where_no_profile_is_given(profile, monkeypatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", profile)

    assert Session("", None, "eu-west-1").region == "eu-north-1"


def test_the_settings_decide_where_nothing_else_names_a_region(profile) -> None:
    assert Session(None, None, "eu-west-1").region == "eu-west-1"
    assert Session("silent", None, "eu-west-1").region == "eu-west-1"


def test_a_profile_that_does_not_exist_is_an_access_error_when_the_region_is_asked_for(profile) -> None:
    with pytest.raises(AccessError, match=r"cannot read the AWS configuration: .*\(nobody\)") as raised:
        _ = Session("nobody", None, "eu-west-1").region

    assert "aws configure list-profiles" in raised.value.hint


def test_a_profile_that_does_not_exist_is_an_access_error_when_a_client_is_asked_for(profile) -> None:
    with pytest.raises(AccessError, match=r"cannot use sts of AWS: .*\(nobody\)"):
        Session("nobody", "eu-west-1", "eu-west-1").client("sts")


def test_a_client_has_the_time_outs_retries_region_and_name_of_the_product(session) -> None:
    client = session.client("ssm")

    config = client.meta.config
    assert client.meta.region_name == "eu-west-1"
    assert (config.connect_timeout, config.read_timeout) == (5, 60)
    assert config.retries == {"mode": "adaptive", "total_max_attempts": 6}
    assert f"manuel-release/{__version__}" in config.user_agent


def test_a_client_is_made_once_even_by_many_threads(session) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: session.client("sts"), range(16)))

    assert len({id(client) for client in made}) == 1


def test_a_client_that_may_wait_longer_is_another_one(session) -> None:
    patient = session.client("lambda", read_seconds=910)

    assert patient.meta.config.read_timeout == 910
    assert session.client("lambda").meta.config.read_timeout == 60


def test_after_closing_a_new_client_is_made(session) -> None:
    before = session.client("sts")

    session.close()

    assert session.client("sts") is not before


class OneConnection(threading.Thread):
    """A server that answers one request of Parameter Store and then waits until its client hangs up."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.last_words: bytes | None = None

    def run(self) -> None:
        body = b'{"Parameter": {"Value": "x"}}'
        with self._listening, self._listening.accept()[0] as connection:
            connection.settimeout(30)
            while b"/manuel/settings" not in connection.recv(65536):
                pass
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            self.last_words = connection.recv(65536)


def test_closing_hangs_up_on_aws(monkeypatch) -> None:
    server = OneConnection()
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    session = Session(None, "eu-west-1", "eu-west-1")
    client = session.client("ssm")  # kept, so that nothing but `close` can end the connection

    assert client.get_parameter(Name="/manuel/settings")["Parameter"]["Value"] == "x"
    session.close()

    server.join(30)
    assert server.last_words == b""


def test_aws_closes_its_session_when_its_block_ends(session) -> None:
    with Aws(session) as aws:
        before = aws.session.client("sts")

    assert session.client("sts") is not before


def test_every_call_is_logged_with_service_operation_time_and_outcome(session, aws, stub) -> None:
    began = datetime.now(UTC)
    ssm = stub("ssm")
    ssm.add_response("get_parameter", {"Parameter": {"Value": "x"}}, {"Name": "/a"})
    ssm.add_client_error("get_parameter", "ParameterNotFound", expected_params={"Name": "/b"})

    assert (aws.parameters.get("/a"), aws.parameters.get("/b")) == ("x", None)

    found, missing = session.calls
    assert (found.service, found.operation, found.attempts, found.error) == ("ssm", "GetParameter", 1, "")
    assert missing.error == "ParameterNotFound"
    assert began <= found.at <= missing.at <= datetime.now(UTC)
    assert timedelta(0) <= timedelta(seconds=found.seconds) < timedelta(minutes=1)
    assert session.count == 2


def test_a_call_that_never_reached_anything_counts_once_with_its_attempts(monkeypatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    with (
        Aws(Session(None, "eu-west-1", "eu-west-1")) as aws,
        pytest.raises(ReleaseError, match="cannot read parameter /a"),
    ):
        aws.parameters.get("/a")

    (call,) = aws.session.calls
    assert (call.error, call.attempts) == ("EndpointConnectionError", 6)


def test_a_request_that_is_refused_before_it_is_sent_is_no_call(session, aws) -> None:
    with pytest.raises(ReleaseError, match="Parameter validation failed"):
        aws.parameters.get(None)

    assert session.count == 0


def headed(date):
    return {"HTTPStatusCode": 200, "HTTPHeaders": {"date": date} if date is not None else {}}


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Mon, 23 Nov 2026 06:10:00 GMT", datetime(2026, 11, 23, 6, 10, tzinfo=UTC)),
        ("yesterday", None),
        (None, None),
    ],
)
def test_a_call_knows_what_time_it_is_at_aws(session, aws, stub, date, moment) -> None:
    stub("ssm").add_response("get_parameter", {"Parameter": {"Value": "x"}, "ResponseMetadata": headed(date)})

    aws.parameters.get("/a")

    assert [call.answered_at for call in session.calls] == [moment]


def test_an_error_tells_the_time_too(session, aws, stub) -> None:
    stub("ssm").add_client_error(
        "get_parameter",
        "InvalidSignatureException",
        response_meta=headed("Mon, 23 Nov 2026 06:10:00 GMT"),
    )

    with pytest.raises(AccessError):
        aws.parameters.get("/a")

    assert session.calls[0].answered_at == datetime(2026, 11, 23, 6, 10, tzinfo=UTC)
