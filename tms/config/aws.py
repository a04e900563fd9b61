"""Clients of AWS. boto3 is imported with the first one: a TMS without AWS does not wait for it."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from tms.config import environment as env

CONNECT_S = 3.0
READ_S = 5.0


def region() -> str:
    return env.text("AWS_REGION") or env.text("AWS_DEFAULT_REGION")


def client(service: str, *, attempts: int = 3) -> Any:
    """A client with timeouts of seconds. boto3 finds the endpoint and the credentials as usual."""
    from boto3.session import Session

    # boto3's default session is not thread-safe, so each client gets its own
    return Session().client(service, region_name=region(), config=config(attempts=attempts))


def config(*, attempts: int = 3, read_s: float = READ_S) -> Any:
    from botocore.config import Config

    retries = {"mode": "standard", "total_max_attempts": attempts}
    return Config(connect_timeout=CONNECT_S, read_timeout=read_s, retries=retries)


def must_be_usable(variables: Sequence[str]) -> None:
    """Raises ImproperlyConfigured if one of `variables` is set, but no region."""
    users = " and ".join(name for name in variables if env.text(name))
    if users and not region():
        raise ImproperlyConfigured(f"{users}: AWS_REGION is not set; set the region, for example ap-northeast-1")


def is_unreachable(error: Exception) -> bool:
    """Whether a disk or a service of AWS refused or did not answer."""
    if isinstance(error, OSError):
        return True
    from botocore.exceptions import BotoCoreError, ClientError

    return isinstance(error, (BotoCoreError, ClientError))
