"""Handshakes that are refused, by TMS or by a proxy in between."""

import math
from email.utils import formatdate
from time import time

from tms_agent.conformance.check import Failed, Level, check
from tms_agent.conformance.terminal import TIMER_S, Terminal

RETRY_AFTER_S = 2
PROBLEM = b'{"type": "tms:unauthorised", "detail": "by tms-conformance"}'
OTHER_PROBLEM = b'{"type": "about:blank"}'
HTML = b"<!doctype html><title>Forbidden</title>"


@check(Level.CORE, needs_command=True)
async def rejected_credential(terminal: Terminal) -> None:
    """The client comes back rarely, or not at all, after a 401 with a problem document of the type tms:unauthorised."""
    link = await terminal.booted()
    terminal.refuse(401, body=PROBLEM, Content_Type="application/problem+json")
    number = len(terminal.attempts)
    link.cut()
    await terminal.attempt(number)
    await terminal.is_absent()


@check(Level.CORE)
async def refused_by_proxy(terminal: Terminal) -> None:
    """The client comes back soon after any other 401, 403 or 404: it is from a proxy, and no word on the credential."""
    link = await terminal.booted()
    for status in (401, 403, 404):
        terminal.refuse(status, body=HTML, Content_Type="text/html")
    terminal.refuse(401, body=OTHER_PROBLEM, Content_Type="application/problem+json")
    link.cut()
    await terminal.comes_back()


@check(Level.CORE)
async def unavailable(terminal: Terminal) -> None:
    """The client comes back soon after a 502, or a 503 without Retry-After."""
    link = await terminal.booted()
    for status in (503, 502):
        terminal.refuse(status)
    link.cut()
    await terminal.comes_back()


@check(Level.CORE)
async def retry_after(terminal: Terminal) -> None:
    """Retry-After of a 503 is respected, as a number of seconds."""
    await _respects(terminal, 503, Retry_After=str(RETRY_AFTER_S))


@check(Level.CORE)
async def retry_after_date(terminal: Terminal) -> None:
    """Retry-After of a 429 is respected, as a date."""
    now = math.ceil(time())
    date, later = (formatdate(at, usegmt=True) for at in (now, now + RETRY_AFTER_S))
    await _respects(terminal, 429, Date=date, Retry_After=later)


async def _respects(terminal: Terminal, status: int, **headers: str) -> None:
    link = await terminal.booted()
    terminal.refuse(status, b"", **headers)
    number = len(terminal.attempts)
    link.cut()
    refused = await terminal.attempt(number)
    waited = (await terminal.attempt(number + 1)).at - refused.at
    if waited < RETRY_AFTER_S - TIMER_S:
        raise Failed(f"it came back after {waited:.1f} s, not {RETRY_AFTER_S}")
    await terminal.comes_back()
