"""`tms-agent` as a process."""

import asyncio
import signal

import pytest

from tests.agent.fake_tms import DEADLINE_S
from tms.commands.kinds import CATALOG
from tms.protocol import frames, uplink


async def finished(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    async with asyncio.timeout(DEADLINE_S):
        _, log = await process.communicate()
    return process.returncode, log.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_makes_it_send_a_goodbye_and_exit_with_0(tms, agent, number):
    process = await agent()
    link = await tms.booted()

    process.send_signal(number)
    goodbye = await link.expect(uplink.GoodbyeCall)

    assert goodbye.params == frames.GoodbyeFrame("shutdown")
    assert await link.closed() == 1000
    status, log = await finished(process)
    assert status == 0
    assert "stopped, 0 reports wait for the next start" in log


async def test_it_reports_on_its_own_machine(tms, agent):
    await agent("--interval", "1")
    link = await tms.booted()

    report = await link.report()

    assert {"ping", "reboot", "collect_logs"} <= set(link.booted.capabilities) <= CATALOG.keys()
    assert {"cpu_pct", "memory_pct", "disk_pct", "uptime_s"} <= report.metrics.keys()


async def test_a_stopped_agent_loses_no_report(tms, agent):
    process = await agent("--interval", "1")
    link = await tms.booted()
    seen = [(await link.report()).seq for _ in range(2)]
    process.terminate()
    await process.wait()

    await agent()
    again = await tms.booted()
    returned = await again.reports(2)
    await again.ack(2, link.booted.boot_id)

    assert [one.seq for one in returned] == seen == [1, 2]
    assert {(one.boot_id, one.late) for one in returned} == {(link.booted.boot_id, True)}


async def test_a_wrong_credential_causes_a_one_line_error_and_exit_code_2(tms, agent):
    tms.reject_credential()

    status, log = await finished(await agent())

    assert status == 2
    assert log.count("401") == 1
    assert "T-1: TMS answered 401 as TMS says it; giving up" in log


async def test_a_credential_that_worked_with_this_spool_is_retried(tms, agent):
    process = await agent()
    await tms.booted()
    process.terminate()
    await finished(process)

    tms.reject_credential(Retry_After="0")
    await agent()

    assert (await tms.booted()).booted.serial


async def test_a_reboot_is_refused_unless_it_was_allowed(tms, agent):
    await agent()
    link = await tms.booted()

    answer = await link.command("reboot")

    assert answer.error.data.type == "tms:refused"
    assert "--allow-reboot" in answer.error.message


async def test_its_own_log_can_be_collected(tms, agent):
    await agent()
    link = await tms.booted()

    good = await link.command("collect_logs", lines=1)
    bad = await link.command("collect_logs", lines="all")

    assert len(good.result["lines"]) == 1
    assert "command collect_logs" in good.result["lines"][0]
    assert bad.error.message == "lines='all': expected a whole number from 1 to 100"


async def test_ping_is_answered(tms, agent):
    await agent()
    link = await tms.booted()

    answer = await link.command("ping")

    assert answer.result["answer"] == "pong"
