"""Clients of AWS, with the credentials of a machine, of the pipeline or of a person's profile; or of an emulator."""

import os
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

type Resource = Mapping[str, Any]
"""A resource, metric or answer as AWS describes it: boto3 has no types."""

AwsError = (BotoCoreError, ClientError)
"""Errors of AWS, or of the connection to it."""


def client(service: str) -> Any:
    """boto3 reads AWS_DEFAULT_REGION only; our machines have AWS_REGION."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "ap-northeast-1"
    return boto3.client(service, region_name=region)


def account() -> str:
    return str(client("sts").get_caller_identity()["Account"])


def parameter(name: str, default: str | None = None) -> str:
    """The value of a parameter of Systems Manager; `default`, if given, where there is none."""
    ssm = client("ssm")
    try:
        return str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        if default is None:
            raise
        return default


def set_parameter(name: str, value: str) -> None:
    client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def code_of(error: Exception) -> str:
    """AWS's name of an error, such as `NoSuchKey`."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
