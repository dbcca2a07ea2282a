"""AWS session for the configured account and region, and one-line errors for AWS refusals."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from groundwork.system.errors import Exit

SIGN_IN = "sign in (aws sso login), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
UNKNOWN = {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure"}
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


def session(region: str, number: str = "") -> Any:
    """Return a boto3 session for the region. If `number` is given, require this account.

    Raise Exit if AWS does not accept the credentials, or if the caller's region or account is another one.
    """
    import boto3

    with told():
        _require_region(region, boto3.Session().region_name)
        found = boto3.Session(region_name=region)
        caller = found.client("sts").get_caller_identity()
    if number and number != caller["Account"]:
        raise Exit(
            f"config/production.json: cloud/account: is {number}, but {caller['Arn']} is of {caller['Account']}: "
            "sign in to the other one",
            code=1,
        )
    return found


@contextmanager
def told() -> Iterator[None]:
    """Raise Exit, with the remedy in the same line, if AWS refuses a call in the block."""
    from botocore import exceptions

    nobody = (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.ProfileNotFound)
    signed_out = (exceptions.SSOError, exceptions.UnauthorizedSSOTokenError, exceptions.TokenRetrievalError)
    try:
        yield
    except nobody as error:
        raise Exit(f"no AWS credentials ({_line(error)}): {SIGN_IN}", code=1) from None
    except signed_out as error:
        raise Exit(f"the AWS credentials have expired ({_line(error)}): {SIGN_IN}", code=1) from None
    except exceptions.ClientError as error:
        raise Exit(_refusal(error.response.get("Error", {}), error.operation_name), code=1) from None
    except exceptions.BotoCoreError as error:  # no network, an unknown endpoint, or a truncated response
        raise Exit(f"AWS cannot be asked: {_line(error)}", code=1) from None


def _require_region(region: str, of_the_profile: str | None) -> None:
    found = {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}
    if of_the_profile and not found:
        found[f"the profile {os.environ.get('AWS_PROFILE', 'default')}"] = of_the_profile
    for source, other in found.items():
        if other != region:
            raise Exit(
                f"config/production.json: cloud/region: is {region}, but {source} says {other}: "
                "change one of them, so that nothing is made in the wrong place",
                code=1,
            )


def _refusal(error: dict[str, str], operation: str) -> str:
    code, message = error.get("Code", ""), " ".join(error.get("Message", "").split())
    if code in EXPIRED:
        return f"the AWS credentials have expired: {SIGN_IN}"
    if code in UNKNOWN:
        return f"AWS does not know these credentials ({code}): {SIGN_IN}"
    if code in DENIED:
        return f"AWS does not let these credentials do {operation}: {message}"
    return f"AWS refuses {operation}: {message or code}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
