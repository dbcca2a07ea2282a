"""Checks of the AWS account, credentials and region, and their messages."""

from collections.abc import Callable

import pytest

from groundwork.cloud import account
from groundwork.system.errors import Exit
from packages.groundwork.tests.aws import ACCOUNT, REGION
from packages.groundwork.tests.cloud.conftest import Aws


def test_who_is_signed_in_gets_clients_in_the_region_of_the_configuration(aws: Aws) -> None:
    session = account.session(REGION)

    assert session.client("ecs").meta.region_name == REGION


def test_without_credentials_a_line_says_how_to_get_them(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    assert refusal(REGION).startswith("no AWS credentials (Unable to locate credentials): sign in (aws sso login), or ")


def test_a_profile_that_there_is_not_is_told(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nosuch")

    assert "no AWS credentials (The config profile (nosuch) could not be found): " in refusal(REGION)


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_another_region_than_the_configuration_s_is_refused(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "us-east-1")

    assert refusal(REGION) == (
        f"config/production.json: cloud/region: is {REGION}, but {variable} says us-east-1: "
        "change one of them, so that nothing is made in the wrong place"
    )


def test_another_account_than_the_configuration_s_is_refused(aws: Aws) -> None:
    assert account.session(REGION, ACCOUNT)
    with pytest.raises(Exit) as refused:
        account.session(REGION, "210987654321")

    told = str(refused.value)
    assert refused.value.code == 1
    assert told.startswith(
        "config/production.json: cloud/account: is 210987654321, but arn:aws:sts::123456789012:user/"
    )
    assert told.endswith(" is of 123456789012: sign in to the other one")


def test_credentials_that_aws_does_not_know_are_told(authorizing: Callable[[], None]) -> None:
    authorizing()

    assert refusal(REGION).startswith("AWS does not know these credentials (InvalidClientTokenId): sign in")


def test_what_the_credentials_may_not_do_is_told(
    aws: Aws, authorizing: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])

    authorizing()
    with pytest.raises(Exit) as refused, account.told():
        account.session(REGION).client("iam").list_users()

    assert str(refused.value).startswith("AWS does not let these credentials do ListUsers: User: arn:aws:iam::")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ExpiredToken", "the AWS credentials have expired: sign in"),
        ("ExpiredTokenException", "the AWS credentials have expired: sign in"),
        ("ThrottlingException", "AWS refuses RunTask: the message of AWS"),
    ],
)
def test_each_refusal_is_a_line(code: str, said: str) -> None:
    """Use error responses of the AWS documentation, since moto expires no tokens."""
    from botocore.exceptions import ClientError

    with pytest.raises(Exit) as refused, account.told():
        raise ClientError({"Error": {"Code": code, "Message": "the message\n of AWS"}}, "RunTask")

    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_an_aws_that_cannot_be_reached_is_told(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    assert "AWS cannot be asked: Could not connect to the endpoint URL" in refusal(REGION)


def refusal(region: str) -> str:
    with pytest.raises(Exit) as refused:
        account.session(region)
    assert refused.value.code == 1
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.fixture
def authorizing(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that makes moto check credentials from then on."""
    from moto import settings

    return lambda: monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0.0)
