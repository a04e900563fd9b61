"""A node dies while it replaces devices."""

import asyncio
import json
from typing import NamedTuple

from deploy.processes.node import NodeProcess
from tests.faults.fault import Finding
from tests.faults.half_done.requests_killed import (
    TERMINALS,
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

WRITES = ("fleet_credential", "accounts_auditentry", "fleet_placement", "fleet_identitychange")
"""Tables at which the transaction is held when its node dies."""

HALF_REPLACED = """
SELECT t.uid FROM fleet_terminal t
CROSS JOIN LATERAL (SELECT count(*) AS ended FROM fleet_placement WHERE terminal_id = t.id AND ended_at IS NOT NULL) p
WHERE t.uid = ANY(%s) AND NOT coalesce(
    (SELECT count(*) FROM fleet_placement WHERE terminal_id = t.id AND ended_at IS NULL) = 1
    AND (SELECT count(*) FROM fleet_credential WHERE terminal_id = t.id AND revoked_at IS NULL) = 1
    AND (SELECT count(*) FROM fleet_credential WHERE terminal_id = t.id AND revoked_at IS NOT NULL) = p.ended
    AND (SELECT d.serial FROM fleet_placement o JOIN fleet_device d ON d.id = o.device_id
         JOIN fleet_credential k ON k.device_id = d.id AND k.terminal_id = t.id AND k.revoked_at IS NULL
         WHERE o.terminal_id = t.id AND o.ended_at IS NULL) = t.serial
    AND (SELECT count(*) FROM fleet_identitychange WHERE terminal_id = t.id AND field = 'serial')
      = (SELECT count(DISTINCT device_id) - 1 FROM fleet_placement WHERE terminal_id = t.id)
    AND (SELECT count(*) FROM accounts_auditentry WHERE subject_type = 'fleet.terminal' AND subject_id = t.id::text
         AND action = 'device-replaced') = p.ended, false)
"""
"""One device with the one valid key; for each placement before an end, a revoked key and an audit entry, and for each
device before a change in the history.
"""
PLACED_TWICE = "SELECT count(*) FROM fleet_placement WHERE ended_at IS NULL GROUP BY device_id HAVING count(*) > 1"
SERIALS = "SELECT serial FROM fleet_terminal WHERE uid = %s"


class Replacement(NamedTuple):
    changed: Changed
    uid: str
    serial: str

    def __call__(self, node: NodeProcess) -> int:
        body = json.dumps({"serial": self.serial}).encode()
        return post(node, f"/api/v1/terminals/{self.uid}/replace", self.changed.headers, body)


async def kill_during_replacements(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    changed = await terminals_to_change(scenario)
    number, half, refused, kept = 0, 0, 0, 0

    def next_request() -> Send:
        nonlocal number
        number += 1
        return Replacement(changed, changed.uids[number % TERMINALS], f"{changed.uids[0]}-R{number}")

    async with scenario.during_fault(finding):
        async for send in killed_requests(scenario, WRITES, next_request):
            assert isinstance(send, Replacement)
            half += await half_done(scenario, HALF_REPLACED, changed)
            is_done = (await scenario.aquery(SERIALS, send.uid))[0][0] == send.serial
            status = await asyncio.to_thread(send, scenario.environment.nodes[0])
            # Also if it was done: who did not see the new key gets another one for the same device.
            refused += status != 201
            half += await half_done(scenario, HALF_REPLACED, changed)
            kept += is_done
    finding.expect("terminals half replaced", half, at_most=0)
    finding.expect("devices at two terminals", len(await scenario.aquery(PLACED_TWICE)), at_most=0)
    finding.expect("not possible again at another node", refused, at_most=0)
    finding.figures |= {"kills": number, "replaced in spite of the kill": kept}


FAULTS = (fault("kill-in-replacement", "kill -9 of a node while it replaces devices", kill_during_replacements),)
