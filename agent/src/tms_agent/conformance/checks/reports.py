"""What becomes of reports: acknowledged ones are done, the others are sent again."""

from tms_agent.conformance.check import Failed, Level, check
from tms_agent.conformance.link import Link
from tms_agent.conformance.terminal import Terminal
from tms_agent.conformance.watch import Report

REPORTS = 2


@check(Level.CORE)
async def resend(terminal: Terminal) -> None:
    """Reports that were not acknowledged are sent again on the next link, with the same seq."""
    link = await terminal.booted(acks=False)
    sent = await link.reports(REPORTS)
    link.cut()
    again = await terminal.booted(acks=False)

    for seq in range(sent[0].seq, max(sent[-1].seq, again.last_seq) + 1):
        report = await again.report()
        while report.boot_id != again.boot_id:
            report = await again.report()
        if report.seq != seq:
            raise Failed(f"{report} came, but report {seq} was not acknowledged")


@check(Level.CORE)
async def ack(terminal: Terminal) -> None:
    """Reports up to the seq of an ack are not sent again."""
    link = await terminal.booted(acks=False)
    sent = await link.reports(REPORTS)
    await link.ack(sent[-1].seq)
    await link.settled()
    await link.close()
    again = await terminal.booted(acked_seq=0)

    await again.report()

    _none_again(again, sent, "was acknowledged")


@check(Level.CORE)
async def acked_seq(terminal: Terminal) -> None:
    """Reports up to acked_seq of the answer to boot are not sent again: their ack was lost."""
    link = await terminal.booted(acks=False)
    sent = await link.reports(REPORTS)
    link.cut()
    again = await terminal.booted(acked_seq=sent[-1].seq)

    await again.report()

    _none_again(again, sent, "was in acked_seq")


def keys(reports: list[Report]) -> list[tuple[str, int]]:
    return [(one.boot_id, one.seq) for one in reports]


def _none_again(link: Link, done: list[Report], why: str) -> None:
    for one in link.sent:
        if any(one.is_again(other) for other in done):
            raise Failed(f"{one} came again, but {why}")
