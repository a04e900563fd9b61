"""A node dies while it moves terminals."""

import asyncio
import json
from typing import NamedTuple

from deploy.processes.node import NodeProcess
from tests.faults.fault import Finding
from tests.faults.half_done.requests_killed import (
    Changed,
    Send,
    fault,
    half_done,
    killed_requests,
    post,
    terminals_to_change,
)
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.scenario import Scenario

WRITES = ("fleet_terminal", "fleet_device", "fleet_identitychange", "accounts_auditentry")
"""Tables at which the transaction is held when its node dies."""

HALF_MOVED = """
SELECT t.uid FROM fleet_terminal t WHERE t.uid = ANY(%s) AND NOT coalesce(
    t.site_id = (SELECT d.site_id FROM fleet_placement o JOIN fleet_device d ON d.id = o.device_id
                 WHERE o.terminal_id = t.id AND o.ended_at IS NULL)
    AND t.site_id = coalesce((SELECT (after->>0)::bigint FROM fleet_identitychange WHERE terminal_id = t.id
                              AND field = 'site' ORDER BY id DESC LIMIT 1), t.site_id)
    AND (SELECT count(*) FROM fleet_identitychange WHERE terminal_id = t.id AND field = 'site')
      = (SELECT count(*) FROM accounts_auditentry WHERE subject_type = 'fleet.terminal' AND subject_id = t.id::text
         AND action = 'moved'), false)
"""
"""Each is where its device is, and where its history says; each move has a change and an audit entry."""
SITES_OF = "SELECT DISTINCT s.code FROM fleet_terminal t JOIN fleet_site s ON s.id = t.site_id WHERE t.uid = ANY(%s)"


class Move(NamedTuple):
    changed: Changed
    to: str

    def __call__(self, node: NodeProcess) -> int:
        body = json.dumps({"terminals": list(self.changed.uids)}).encode()
        return post(node, f"/api/v1/sites/{self.to}/terminals", self.changed.headers, body)


async def kill_during_moves(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """All terminals move together, from one site to the other and back."""
    changed = await terminals_to_change(scenario)
    number, half, torn, refused, kept = 0, 0, 0, 0, 0

    def next_request() -> Send:
        nonlocal number
        number += 1
        return Move(changed, f"F{number % 2}")

    async with scenario.during_fault(finding):
        async for send in killed_requests(scenario, WRITES, next_request):
            assert isinstance(send, Move)
            half += await half_done(scenario, HALF_MOVED, changed)
            sites = [code for (code,) in await scenario.aquery(SITES_OF, list(changed.uids))]
            torn += len(sites) != 1
            kept += sites == [send.to]
            refused += await asyncio.to_thread(send, scenario.environment.nodes[0]) != 200
            half += await half_done(scenario, HALF_MOVED, changed)
    finding.expect("terminals half moved", half, at_most=0)
    finding.expect("moves of some of the terminals", torn, at_most=0)
    finding.expect("not possible again at another node", refused, at_most=0)
    finding.figures |= {"kills": number, "moved in spite of the kill": kept}


FAULTS = (fault("kill-in-move", "kill -9 of a node while it moves terminals", kill_during_moves),)
