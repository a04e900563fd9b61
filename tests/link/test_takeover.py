"""Two devices with one credential."""

import asyncio

import pytest
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from tests.support.link.terminal import Terminal
from tests.support.polling import DEADLINE_S, wait_for_value_async
from tests.support.servers.tms import RunningTMS

pytestmark = pytest.mark.both

NOTED = "SELECT e.code FROM telemetry_event e JOIN fleet_terminal t ON t.id = e.terminal_id WHERE t.uid = %s"
ALERTS = """
SELECT a.severity, a.state FROM alerts_alert a JOIN fleet_terminal t ON t.id = a.terminal_id
JOIN alerts_rule r ON r.id = a.rule_id WHERE t.uid = %s AND r.event_code = 'tms.duplicate_credential'
"""


async def test_devices_that_replace_each_other_repeatedly_are_banned_and_an_alert_opens(tms, enrol):
    credential = enrol()
    uid = credential.partition(".")[0]
    takeovers = int(tms.env["TMS_TAKEOVERS_PER_MINUTE"])
    links = []
    for number in range(takeovers + 2):
        links.append(await Terminal.connect(tms.link, credential))
        await links[-1].boot(f"boot-{number}")

    codes = [await link.closed() for link in links[:-1]]
    refusal = await refused(tms, credential)

    assert codes == [4409] * (takeovers + 1)
    assert refusal.status_code == 429
    assert int(refusal.headers["Retry-After"]) > 200
    await wait_for_value_async(lambda: tms.query(NOTED, uid), [("tms.duplicate_credential",)])
    await wait_for_value_async(lambda: tms.query(ALERTS, uid), [("critical", "open")])
    await links[-1].socket.close()


async def refused(tms: RunningTMS, credential: str) -> Response:
    """The answer to a handshake, as soon as one is refused. Earlier ones do not boot, and replace nothing."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                terminal = await Terminal.connect(tms.link, credential)
            except InvalidStatus as refusal:
                return refusal.response
            await terminal.socket.close()
