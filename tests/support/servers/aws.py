"""AWS, as far as it is emulated: over real HTTP, on loopback, in a separate process."""

import sys
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

import pytest
from boto3.s3.transfer import TransferConfig
from boto3.session import Session

from deploy.processes import HOST, Service

REGION = "ap-northeast-1"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


class Emulator(Service):
    ready = "/"
    """The response that shows that it is ready."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + self.ready, timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, HTTPException, ConnectionError, TimeoutError):
            return False

    @property
    def env(self) -> Mapping[str, str]:
        """The environment with which a process uses it as AWS."""
        return {
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            **{name.upper(): value for name, value in KEYS.items()},
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def client(self, service: str) -> Any:
        return Session(region_name=REGION, **KEYS).client(service, endpoint_url=self.url)


class Moto(Emulator):
    """Emulates most of AWS, but evaluates no alarms."""

    ready = "/moto-api/"

    @property
    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self.port)]

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Reset to an empty account, which this process uses as AWS."""
        self.reset()
        for name, value in self.env.items():
            monkeypatch.setenv(name, value)

    def make_bucket(self, name: str) -> Mapping[str, Any]:
        """A new bucket, as a storage of Django."""
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        transfer = TransferConfig(multipart_threshold=2**26, use_threads=False)
        options = {"bucket_name": name, "region_name": REGION, "file_overwrite": False, "transfer_config": transfer}
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}

    def reset(self) -> None:
        """Reset to an empty account."""
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/moto-api/reset", method="POST"), timeout=5):
            pass


class Ministack(Emulator):
    """Evaluates alarms whenever a data point arrives, and notifies SNS.

    Its own command would listen on all interfaces.
    """

    ready = "/_localstack/health"

    @property
    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "hypercorn", "--bind", f"{HOST}:{self.port}", "ministack.app:app"]
