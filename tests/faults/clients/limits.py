"""Clients with a shared credential, invalid frames, or too many connections."""

import asyncio
import re
import time
from random import Random

from tests.faults.clients.connection_flood import LIMITS, ConnectionFlood
from tests.faults.fault import Fault, Finding
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.processes import resident_mib
from tests.faults.scenario.scenario import Scenario
from tests.support.link.fuzzing import fuzzed_frame, send_frames
from tests.support.link.terminal import Terminal
from tms.protocol.close_codes import CloseCode

TAKEOVERS = 8
"""Fewer than cause a ban."""
FRAMES = 10_000
INTERNAL_ERROR = 1011
ERROR_LINES = re.compile(r'Traceback|"level": "(?:error|critical)"')


async def share_a_credential(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """Two devices, on two nodes, take over the link from each other."""
    links = [node.link for node in scenario.environment.nodes[:2]]
    key, took_s, codes = str(scenario.spare[1]), [], []
    async with scenario.during_fault(finding):
        older = await booted(links[0], key, "boot-0")
        for number in range(1, TAKEOVERS + 1):
            newer = await booted(links[number % 2], key, f"boot-{number}")
            began_at = time.monotonic()
            codes.append(await older.closed())
            took_s.append(time.monotonic() - began_at)
            older = newer
        await older.socket.close()
    finding.expect("the older link closed after", max(took_s), at_most=2, unit="s")
    finding.expect("closed with a code other than 4409", sum(code != CloseCode.REPLACED for code in codes), at_most=0)


async def send_invalid_frames(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    node = scenario.environment.nodes[0]
    losses, log_size = scenario.observer.losses, node.log.stat().st_size
    async with scenario.during_fault(finding):
        frames = iter([fuzzed_frame(Random(number)) for number in range(FRAMES)])
        closes = await asyncio.gather(*(send_frames(node.link, str(key), frames) for key in scenario.spare))
    log = node.log.read_bytes()[log_size:].decode()
    codes = [code for of_one in closes for code in of_one]
    finding.expect("closed with 1011", codes.count(INTERNAL_ERROR), at_most=0)
    finding.expect("errors in the log", len(ERROR_LINES.findall(log)), at_most=0)
    finding.expect("links of other terminals lost", scenario.observer.losses - losses, at_most=0)
    finding.figures |= {"frames": FRAMES, "links": len(codes), "closed with 4400": codes.count(CloseCode.BAD_FRAMES)}


async def exhaust_connections(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """One person opens boards until there are too many, and others connect until a node is full."""
    node, losses = scenario.environment.nodes[-1], scenario.observer.losses
    before_mib, flood = resident_mib(node.pid), ConnectionFlood(node, scenario.cookie)
    async with scenario.during_fault(finding) as window:
        try:
            await asyncio.to_thread(flood.fill)
            grown_mib = resident_mib(node.pid) - before_mib
        finally:
            flood.close()
        window.end()
        admitted_s = await asyncio.to_thread(flood.admitted_again)
    finding.expect("boards of one person", flood.boards, at_most=float(LIMITS["TMS_BOARDS_PER_PERSON"]))
    finding.expect("refused with a status other than 503", sum(code != 503 for code in flood.refusals), at_most=0)
    finding.expect("file descriptors in use", 100 * flood.descriptors, at_most=100, unit="%")
    finding.expect("links of other terminals lost", scenario.observer.losses - losses, at_most=0)
    finding.expect("admitted again after", admitted_s, at_most=5, unit="s")
    finding.figures |= {"connections": flood.connections, "memory growth of the node, MiB": grown_mib}


async def booted(link: str, key: str, boot_id: str) -> Terminal:
    terminal = await Terminal.connect(link, key)
    await terminal.boot(boot_id)
    return terminal


FAULTS = (
    Fault(
        "shared-credential",
        "the newest link wins within 2 s",
        "two devices share a credential, on two nodes",
        share_a_credential,
    ),
    Fault("invalid-frames", "bad input never causes an internal error", "10,000 invalid frames", send_invalid_frames),
    Fault(
        "connection-flood",
        "connections are refused before resources run out",
        "more boards and connections than the limits allow",
        exhaust_connections,
    ),
)
