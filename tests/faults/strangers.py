"""Clients with a shared credential, invalid frames, or too many connections: R5, R8, R12."""

import asyncio
import re
import time
from random import Random

from tests.faults.crowd import LIMITS, ConnectionFlood
from tests.faults.fault import Fault, Finding
from tests.faults.place import Several
from tests.faults.processes import resident_mib
from tests.faults.scene import Scene
from tests.support.link.fuzzing import fuzzed_frame, send_frames
from tests.support.link.terminal import Terminal
from tms.protocol.close_codes import CloseCode

TAKEOVERS = 8
"""Fewer than a ban takes."""
FRAMES = 10_000
BROKE_INSIDE = 1011
TROUBLE = re.compile(r'Traceback|"level": "(?:error|critical)"')


async def share_a_credential(scene: Scene[Several], finding: Finding) -> None:
    """Two devices, on two nodes, take over the link from each other."""
    links = [node.link for node in scene.place.nodes[:2]]
    key, took_s, codes = str(scene.spare[1]), [], []
    async with scene.disturbed(finding):
        older = await booted(links[0], key, "boot-0")
        for number in range(1, TAKEOVERS + 1):
            newer = await booted(links[number % 2], key, f"boot-{number}")
            began_at = time.monotonic()
            codes.append(await older.closed())
            took_s.append(time.monotonic() - began_at)
            older = newer
        await older.socket.close()
    finding.promise("the older link closed after", max(took_s), at_most=2, unit="s")
    finding.promise("closed with another code than 4409", sum(code != CloseCode.REPLACED for code in codes), at_most=0)


async def speak_nonsense(scene: Scene[Several], finding: Finding) -> None:
    node = scene.place.nodes[0]
    losses, said = scene.observer.losses, node.log.stat().st_size
    async with scene.disturbed(finding):
        frames = iter([fuzzed_frame(Random(number)) for number in range(FRAMES)])
        poured = await asyncio.gather(*(send_frames(node.link, str(key), frames) for key in scene.spare))
    log = node.log.read_bytes()[said:].decode()
    codes = [code for of_one in poured for code in of_one]
    finding.promise("closed with 1011", codes.count(BROKE_INSIDE), at_most=0)
    finding.promise("errors in the log", len(TROUBLE.findall(log)), at_most=0)
    finding.promise("others' links lost", scene.observer.losses - losses, at_most=0)
    finding.figures |= {"frames": FRAMES, "links": len(codes), "closed for it": codes.count(CloseCode.BAD_FRAMES)}


async def crowd_in(scene: Scene[Several], finding: Finding) -> None:
    """One person opens boards until there are too many, and others connect until a node is full."""
    node, losses = scene.place.nodes[-1], scene.observer.losses
    before_mib, crowd = resident_mib(node.pid), ConnectionFlood(node, scene.cookie)
    async with scene.disturbed(finding) as disturbance:
        try:
            await asyncio.to_thread(crowd.fill)
            grown_mib = resident_mib(node.pid) - before_mib
        finally:
            crowd.leave()
        disturbance.is_over()
        admitted_s = await asyncio.to_thread(crowd.admitted_again)
    finding.promise("boards of one person", crowd.boards, at_most=float(LIMITS["TMS_BOARDS_PER_PERSON"]))
    finding.promise("refused otherwise than with 503", sum(code != 503 for code in crowd.refusals), at_most=0)
    finding.promise("of its file descriptors in use", 100 * crowd.descriptors, at_most=100, unit="%")
    finding.promise("others' links lost", scene.observer.losses - losses, at_most=0)
    finding.promise("admitted again after", admitted_s, at_most=5, unit="s")
    finding.figures |= {"connections": crowd.connections, "the node grew by MiB": grown_mib}


async def booted(link: str, key: str, boot_id: str) -> Terminal:
    terminal = await Terminal.connect(link, key)
    await terminal.boot(boot_id)
    return terminal


FAULTS = (
    Fault("shared-credential", "R5", "two devices share a credential, on two nodes", share_a_credential),
    Fault("nonsense", "R8", "10,000 frames of nonsense", speak_nonsense),
    Fault("crowd", "R12", "more boards and connections than there is room for", crowd_in),
)
