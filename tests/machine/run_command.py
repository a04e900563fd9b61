"""AWS for a pipeline that deploys to the machine under test: Run Command runs there, and the group has no other one."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from tests.machine.machine import Machine
from tests.support.servers.tms import ROOT

MACHINE = "i-0123456789"
TERRAFORM = (ROOT / "deploy/terraform/documents.tf").read_text()


def documents() -> Mapping[str, list[str]]:
    """The commands of each document, as Terraform creates them."""
    words = dict(re.findall(r'^  (\w+) += "([^"]+)"$', TERRAFORM, re.MULTILINE))
    steps = re.findall(r"^    (\w+) = \{\n.*?commands = \[(.*?)\], seconds", TERRAFORM, re.MULTILINE | re.DOTALL)
    return {
        f"tms-{name}": [
            filled(text or words[local], words) for text, local in re.findall(r'"([^"]+)"|local\.(\w+)', commands)
        ]
        for name, commands in steps
    }


def filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\$\{local\.(\w+)\}", lambda found: filled(words[found[1]], words), text)


class Aws:
    """`client` replaces that of boto3. `commands` has each document that ran, with its release and duration."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.commands: list[tuple[str, str, float]] = []
        self._results: dict[str, Any] = {}

    def client(self, service: str, **_: object) -> Any:
        return self if service in ("ssm", "autoscaling", "elbv2", "s3", "sts", "cloudwatch") else None

    exceptions = SimpleNamespace(
        ClientError=ClientError,
        InvocationDoesNotExist=type("InvocationDoesNotExist", (ClientError,), {}),
        ParameterNotFound=type("ParameterNotFound", (Exception,), {}),
    )

    def get_caller_identity(self) -> Any:
        return {"Account": "000000000000"}

    def get_parameter(self, **asked: str) -> Any:
        try:
            return {"Parameter": {"Value": self._parameter(asked["Name"]).read_text()}}
        except FileNotFoundError:
            raise self.exceptions.ParameterNotFound from None

    def put_parameter(self, **asked: Any) -> None:
        path = self._parameter(asked["Name"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(asked["Value"])

    def _parameter(self, name: str) -> Path:
        return self._machine.aws / "parameters" / name.lstrip("/")

    def send_command(self, **asked: Any) -> Any:
        assert asked["InstanceIds"] == [MACHINE]
        [release], name = asked["Parameters"]["release"], asked["DocumentName"]
        lines = "\n".join(("set -eu", *documents()[name]))
        began = datetime.now(UTC)
        done = self._machine.shell(
            lines.replace("{{ release }}", release).replace("/opt/", f"{self._machine.root}/opt/")
        )
        took_s = (datetime.now(UTC) - began).total_seconds()
        self.commands.append((name, release, took_s))
        print(f"{name} {release}: {took_s:.0f} s\n{done.stdout}")
        number = str(len(self.commands))
        self._results[number] = self._result(done)
        return {"Command": {"CommandId": number}}

    @staticmethod
    def _result(done: subprocess.CompletedProcess[str]) -> Any:
        return {"Status": "Failed" if done.returncode else "Success", "StandardErrorContent": done.stdout}

    def get_command_invocation(self, **asked: str) -> Any:
        return self._results[asked["CommandId"]]

    def describe_auto_scaling_groups(self, **_: object) -> Any:
        instances = [{"InstanceId": MACHINE, "LifecycleState": "InService"}]
        return {"AutoScalingGroups": [{"Instances": instances, "TargetGroupARNs": ["arn:of-the-target-group"]}]}

    def describe_target_health(self, **_: object) -> Any:
        with urllib.request.urlopen(f"{self._machine.url}/health/", timeout=10) as answer:
            state = "healthy" if answer.status == 200 else "unhealthy"
        return {"TargetHealthDescriptions": [{"TargetHealth": {"State": state}}]}

    def get_object(self, **asked: str) -> Any:
        path = self._machine.aws / "buckets" / asked["Bucket"] / asked["Key"]
        if not path.exists():
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": BytesIO(path.read_bytes())}

    def get_paginator(self, _: str) -> Any:
        return SimpleNamespace(paginate=lambda **_: [])

    def mark_good(self, *releases: str) -> None:
        self.put_parameter(Name="/tms/releases/good", Value=json.dumps(list(releases)))
