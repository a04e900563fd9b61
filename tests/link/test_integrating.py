"""docs/integrating.md is tested: its client runs as printed."""

import re
import subprocess
import sys

import pytest

from tests.support.link.terminal import Terminal
from tests.support.polling import wait_for_value_async
from tests.support.servers.tms import ROOT

pytestmark = pytest.mark.both

ON_THE_BOARD = """
SELECT s.presence, s.status FROM fleet_terminalstate s JOIN fleet_terminal t ON t.id = s.terminal_id WHERE t.uid = %s
"""


async def test_the_printed_client_enrols_once_boots_reports_and_is_acknowledged(tms, enrol):
    enrol()  # creates the site
    [(code,)] = tms.query("SELECT code FROM fleet_site")
    token = tms.manage("enrolment_token", "--site", code).strip()
    command = [sys.executable, "-c", printed_client(), tms.url, token]
    client = subprocess.Popen([*command, "30"], stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None

    with client:
        uid, booted = client.stdout.readline().split(" ", 1)
        acknowledged = client.stdout.readline()
        await wait_for_value_async(lambda: tms.query(ON_THE_BOARD, uid), [("online", "ok")])
        client.kill()
    second = subprocess.run([*command, "0"], capture_output=True, text=True, check=False)

    assert '"session":1' in booted
    assert '"ack"' in acknowledged
    assert "HTTP Error 403" in second.stderr


async def test_a_second_session_with_the_same_credential_closes_the_first(tms, enrol):
    credential = enrol()
    async with (
        await Terminal.connect(tms.link, credential) as first,
        await Terminal.connect(tms.link, credential) as second,
    ):
        await first.boot()

        await second.boot("elsewhere")

        assert await first.closed() == 4409


def printed_client() -> str:
    page = (ROOT / "docs" / "integrating.md").read_text()
    return re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
