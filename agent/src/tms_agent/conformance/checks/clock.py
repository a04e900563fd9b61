"""A clock that is wrong: reports and deadlines are in the time of TMS."""

from datetime import timedelta

from tms_agent.conformance import schemas
from tms_agent.conformance.check import Failed, Level, check
from tms_agent.conformance.checks.requests import PING, that_pings
from tms_agent.conformance.terminal import Terminal

AHEAD = timedelta(days=3)
TOLERANCE = timedelta(minutes=1)


@check(Level.FULL)
async def server_time(terminal: Terminal) -> None:
    """Reports are dated in the time of TMS: server_time of the answer to boot shows how wrong the client's clock is."""
    terminal.clock_ahead = AHEAD
    link = await terminal.booted()
    report = await link.report()
    if report.at is None or abs(report.at - link.server_time()) > TOLERANCE:
        raise Failed(f"{report} is dated {report.at}; in the time of TMS it is {link.server_time():%Y-%m-%d %H:%M}")


@check(Level.FULL)
async def deadline_in_server_time(terminal: Terminal) -> None:
    """The deadline of a command is compared with the time of TMS."""
    terminal.clock_ahead = -AHEAD
    link = await that_pings(terminal)
    answer = await link.command("ping-1", PING)
    if "result" not in answer:
        raise Failed(f"answered {schemas.shown(answer)}")
