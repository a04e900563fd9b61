"""The previous release beside this one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.compatibility import previous
from tests.support.polling import wait_for_value
from tests.support.servers.tms import ROOT, RunningTMS

ANSWERS = "SELECT c.state FROM commands_command c JOIN fleet_terminal t ON t.id = c.terminal_id WHERE t.uid = %s"
REPORTS = "SELECT count(*) > 0 FROM telemetry_report r JOIN fleet_terminal t ON t.id = r.terminal_id WHERE t.uid = %s"


def extract(folder: Path, *paths: str) -> Path:
    """Write the files of the previous release, or those under `paths`, into a folder."""
    command = ["git", "archive", previous().commit, *paths]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip("the previous release is not in this checkout: fetch its history")
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


def exchange(tms: RunningTMS, credential: str, *, agent: Path, folder: Path) -> None:
    """Let an agent with the code in `agent` boot, report, answer a command, and stop."""
    uid = credential.partition(".")[0]
    tms.manage("send_command", uid, "ping")
    command = [
        sys.executable,
        "-m",
        "tms_agent",
        "--url",
        tms.link,
        "--spool",
        str(folder / "spool"),
        "--interval",
        "1",
    ]
    environment = os.environ | {"TMS_AGENT_CREDENTIAL": credential, "PYTHONPATH": str(agent)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        wait_for_value(lambda: tms.query(ANSWERS, uid), [("done",)])
        wait_for_value(lambda: bool(tms.query(REPORTS, uid)[0][0]), expected=True)
        process.terminate()
    assert process.returncode == 0
