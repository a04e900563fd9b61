"""A report is stored once, and acknowledged after its commit."""

import pytest

from tests.support.link.terminal import Terminal, report
from tests.support.polling import wait_for_value_async

pytestmark = [pytest.mark.both, pytest.mark.embedded]

REPORTS = """
SELECT b.boot_id, r.seq FROM telemetry_report r JOIN telemetry_boot b ON b.id = r.boot_id
JOIN fleet_terminal t ON t.id = r.terminal_id WHERE t.uid = %s ORDER BY b.id, r.seq
"""

PRESENCE = """
SELECT presence, cause FROM fleet_terminalstate s JOIN fleet_terminal t ON t.id = s.terminal_id WHERE t.uid = %s
"""


def uid_of(credential: str) -> str:
    return credential.partition(".")[0]


def cause_of(tms, credential: str) -> str:
    return tms.query(PRESENCE, uid_of(credential))[0][1]


async def test_a_boot_is_answered_with_the_settings_of_the_terminal(tms, enrol):
    async with await Terminal.connect(tms.link, enrol()) as terminal:
        booted = await terminal.boot(firmware="4.8.2", model="KX-20")

    assert booted["session"] == 1
    assert booted["acked_seq"] == 0
    assert booted["heartbeat_s"] == 1.0
    assert booted["limits"]["frame_bytes"] == 65536


async def test_a_report_is_committed_when_it_is_acknowledged(tms, enrol):
    credential = enrol()
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot()

        await terminal.report(1, status="degraded", metrics={"temperature_c": 61.5})
        await terminal.acknowledged(1)

    assert tms.query(REPORTS, uid_of(credential)) == [("boot-1", 1)]


async def test_a_reconnect_gets_the_last_committed_report_and_repeated_ones_are_stored_once(tms, enrol):
    credential = enrol()
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot()
        await terminal.report(1)
        await terminal.report(2)
        await terminal.acknowledged(2)

    async with await Terminal.connect(tms.link, credential) as terminal:
        booted = await terminal.boot()
        await terminal.report(2, late=True)
        await terminal.report(3)
        await terminal.acknowledged(3)

    assert booted["acked_seq"] == 2
    assert booted["session"] == 2
    assert tms.query(REPORTS, uid_of(credential)) == [("boot-1", 1), ("boot-1", 2), ("boot-1", 3)]


async def test_a_batch_of_late_reports_fills_history_and_is_acknowledged(tms, enrol):
    credential = enrol()
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot(last_seq=150)

        late = [report(seq, late=True, metrics={"temperature_c": 99.0}) for seq in range(1, 151)]
        await terminal.send([{"jsonrpc": "2.0", "method": "report", "params": params} for params in late])
        await terminal.acknowledged(150)

    assert len(tms.query(REPORTS, uid_of(credential))) == 150


async def test_reports_of_an_earlier_boot_are_stored_under_it(tms, enrol):
    credential = enrol()
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot("before")
        await terminal.report(1)
        await terminal.acknowledged(1)

    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot("after")
        await terminal.report(2, boot_id="before", late=True)
        answer = await terminal.receive()

    assert answer["params"] == {"seq": 2, "boot_id": "before"}
    assert tms.query(REPORTS, uid_of(credential)) == [("before", 1), ("before", 2)]


async def test_the_newest_session_wins_and_the_older_one_gets_a_close_code(tms, enrol):
    credential = enrol()
    async with await Terminal.connect(tms.link, credential) as old:
        await old.boot()

        async with await Terminal.connect(tms.link, credential) as new:
            await new.boot()
            code = await old.closed()
            await new.report(1)
            await new.acknowledged(1)

    assert code == 4409


async def test_a_revoked_credential_closes_its_link(tms, enrol):
    credential = enrol()
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot()

        tms.manage("revoke_credentials", uid_of(credential))
        # Without Redis another process cannot notify this one; the next poll does.
        code = await terminal.closed()

    assert code == 4401


async def test_presence_follows_the_link(tms, enrol):
    credential = enrol()
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot()
        await wait_for_value_async(lambda: tms.query(PRESENCE, uid_of(credential)), [("online", "")])

    await wait_for_value_async(lambda: tms.query(PRESENCE, uid_of(credential)), [("offline", "connection_lost")])


async def test_a_silent_terminal_is_detected_by_its_lease(tms, enrol):
    credential = enrol()
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot()

        await wait_for_value_async(lambda: cause_of(tms, credential), "lease_ran_out")
        await terminal.call("heartbeat")
        await wait_for_value_async(lambda: cause_of(tms, credential), "")


async def test_a_goodbye_suppresses_the_alert_for_an_expected_silence(tms, enrol):
    credential = enrol()
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot()
        await terminal.call("goodbye", reason="reboot", back_at="2099-01-01T00:00:00Z")

    await wait_for_value_async(lambda: tms.query(PRESENCE, uid_of(credential)), [("rebooting", "reboot")])
