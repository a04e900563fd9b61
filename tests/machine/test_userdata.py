"""A machine that cannot start reports the reason to CloudWatch, and is abandoned at once."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine.machine import EXPORTS, SCRIPTS, STAND_INS
from tests.machine.metadata import Metadata


@pytest.fixture
def failed(tmp_path: Path) -> Iterator[subprocess.CompletedProcess[str]]:
    """A start without the artefact of its release in the bucket."""
    aws = tmp_path / "aws"
    for folder in ("parameters/tms", "buckets"):
        (aws / folder).mkdir(parents=True)
    (aws / "parameters/tms/release").write_text("1.4.2")
    agent = tmp_path / "opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"
    agent.parent.mkdir(parents=True)
    agent.write_text('#!/bin/sh\necho "agent $*" >>"$AWS_STAND_IN/packages"\n')
    agent.chmod(0o755)
    with Metadata() as metadata:
        own = {
            "PATH": f"{STAND_INS}:{os.environ['PATH']}",
            "AWS_STAND_IN": str(aws),
            "TMS_ROOT": str(tmp_path),
            "TMS_METADATA": metadata.url,
            "TMS_USER": tmp_path.owner(),
            "TMS_LAST_LINES_S": "0.2",
        }
        yield subprocess.run([SCRIPTS / "userdata.sh"], env=EXPORTS | own, capture_output=True, text=True, check=False)


def test_the_agent_of_cloudwatch_is_started_first(failed, tmp_path):
    calls = (tmp_path / "aws/packages").read_text().splitlines()

    assert calls[0] == "dnf --assumeyes --quiet install amazon-cloudwatch-agent"
    assert calls[1].startswith("agent -a fetch-config -m ec2 -s -c file:")
    assert "upgrade" in calls[2]


def test_the_agent_is_first_configured_for_the_log_of_the_start(failed, tmp_path):
    result = json.loads((tmp_path / "opt/aws/amazon-cloudwatch-agent/etc/start.json").read_text())

    assert result["logs"]["logs_collected"]["files"]["collect_list"] == [
        {
            "file_path": f"{tmp_path}/var/log/tms/userdata.log",
            "log_group_name": "tms-machine",
            "log_stream_name": "{instance_id}/userdata",
        }
    ]


def test_the_last_lines_are_sent_and_the_hook_is_abandoned(failed, tmp_path):
    create, put = (tmp_path / "aws/log-events").read_text().splitlines()
    lifecycle = (tmp_path / "aws/lifecycle-actions").read_text()

    assert failed.returncode != 0
    assert "--log-group-name tms-machine --log-stream-name i-0123456789/failed" in create
    sent = json.loads(put.partition("--log-events ")[2])
    assert "userdata: release 1.4.2" in sent[0]["message"]
    assert "tms-1.4.2.tar.gz" in sent[0]["message"]
    assert "userdata: FAILED with 1" in sent[0]["message"]
    assert "--lifecycle-action-result ABANDON --instance-id i-0123456789" in lifecycle
    assert lifecycle.count("\n") == 1


def test_a_start_creates_tables_only_in_an_empty_database():
    assert re.search(r'manage" migrate_once --first-time$', (SCRIPTS / "userdata.sh").read_text(), re.MULTILINE)
