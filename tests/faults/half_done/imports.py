"""The process that applies an import dies: the clock, or a node if the import is small."""

import asyncio
import random
import re
import secrets
import time
from collections.abc import Mapping
from typing import NamedTuple

from deploy.processes.node import NodeProcess
from deploy.processes.service import Service
from tests.faults.fault import Finding
from tests.faults.half_done.requests_killed import fault, killed_while_writing, node_of_people, post, prepared
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.held import held_process, writers_held
from tests.faults.scenario.scenario import Scenario

WRITES = ("fleet_terminal", "fleet_identitychange", "transfer_importpart", "accounts_auditentry")
"""Tables at which the transaction is held when its process dies."""
IMPORTED = 2_000
"""New rows of an import; it changes as many."""
SMALL = 200
"""The same as `IMPORTED`, of an import that the request itself applies."""
IMPORT_RANDOM_KILLS = 3
IMPORT_WITHIN_S = 120.0
LEASE_S = 60.0
PROGRESS = re.compile(r'<progress max="(\d+)" value="(\d+)"')

SLOW_LANE = 0x746D73_736C6F77
"""`tms.clock.jobs.Lane.SLOW`, the lane of imports."""
SLOW_LEADER = """
SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND (l.classid::bigint << 32 | l.objid::bigint) = %s
"""
IMPORT_STATE = "SELECT state, attempts FROM transfer_import WHERE id = %s"
IMPORT_AUDITED = """
SELECT count(*) FROM accounts_auditentry
WHERE subject_type = 'transfer.import' AND subject_id = %s AND action = 'imported'
"""
IMPORT_ROWS = """
SELECT (SELECT count(*) FROM fleet_terminal t JOIN fleet_terminalstate s ON s.terminal_id = t.id
        WHERE t.uid ~ %s AND t.label = %s),
       (SELECT count(*) FROM fleet_identitychange i JOIN fleet_terminal t ON t.id = i.terminal_id
        WHERE t.uid ~ %s AND i.field = 'label' AND i.after = to_jsonb(%s::text))
"""
"""The terminals with the new label, and the changes of the history to it."""


class ImportTally:
    def __init__(self) -> None:
        self.not_applied, self.wrong_rows, self.wrong_audit, self.wrong_progress = 0, 0, 0, 0
        self.longest_s = 0.0
        self.kills = 0
        self.attempts = 0

    def expected(self, finding: Finding, *, within_s: float) -> None:
        finding.expect("imports not applied", self.not_applied, at_most=0)
        finding.expect("rows or changes missing or twice", self.wrong_rows, at_most=0)
        finding.expect("audit entries missing or twice", self.wrong_audit, at_most=0)
        finding.expect("wrong progress", self.wrong_progress, at_most=0)
        finding.expect("applied after the kill", self.longest_s, at_most=within_s, unit="s")
        finding.figures |= {"kills": self.kills, "most attempts": self.attempts}


class CheckedImport(NamedTuple):
    pk: int
    prefix: str
    block: int
    rows: int
    changes: int
    cookie: str

    def __call__(self, node: NodeProcess) -> int:
        return post(node, f"/import/{self.pk}/apply/", self._headers)

    @property
    def path(self) -> str:
        return f"/import/{self.pk}/"

    @property
    def _headers(self) -> Mapping[str, str]:
        token = secrets.token_hex(16)
        return {"Cookie": f"{self.cookie}; csrftoken={token}", "X-CSRFToken": token}


async def checked_import(scenario: Scenario[FaultCluster], prefix: str, block: int, rows: int) -> CheckedImport:
    made = await prepared(scenario, f"checked_import('{prefix}', {block}, {rows})")
    assert made["refused"] == 0
    pk, changes = made["pk"], made["changes"]
    assert isinstance(pk, int)
    assert isinstance(changes, int)
    return CheckedImport(pk, prefix, block, rows, changes, scenario.cookie)


async def kill_during_imports(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """The clock that applies an import dies, and the other one takes over."""
    prefix, tally = f"I{secrets.token_hex(3)}", ImportTally()
    randoms = [random.uniform(0, 4) for _ in range(IMPORT_RANDOM_KILLS)]
    async with scenario.during_fault(finding):
        for block, moment in enumerate(("", *WRITES, *randoms, "applied")):
            chosen = await checked_import(scenario, prefix, block, IMPORTED)
            victim = await killed_clock(scenario, chosen, moment)
            tally.kills += 1
            await observe(scenario, chosen, tally)
            await asyncio.to_thread(victim.start)
    tally.expected(finding, within_s=60)


async def killed_clock(scenario: Scenario[FaultCluster], chosen: CheckedImport, moment: str | float) -> Service:
    """Start an import at a node, and kill the clock that applies it at `moment`: a table, a delay or a state.

    Nothing means at once.
    """
    if moment in WRITES:
        assert isinstance(moment, str)
        clocks = [clock.name for clock in scenario.environment.clocks]
        async with writers_held(scenario, moment):
            request = asyncio.create_task(asyncio.to_thread(chosen, scenario.environment.nodes[0]))
            victim = _clock(scenario, await held_process(scenario, moment, clocks, request=request))
            await asyncio.to_thread(victim.kill)
        _demand_accepted(await request)
        return victim
    _demand_accepted(await asyncio.to_thread(chosen, scenario.environment.nodes[0]))
    if isinstance(moment, float):
        await asyncio.sleep(moment)
    elif moment:
        await await_state(scenario, chosen, moment)
    victim = _clock(scenario, await slow_leader(scenario))
    await asyncio.to_thread(victim.kill)
    return victim


async def kill_during_small_imports(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """The node that applies an import in a request dies. The clock takes over after the lease."""
    prefix, tally = f"J{secrets.token_hex(3)}", ImportTally()
    async with scenario.during_fault(finding), node_of_people(scenario) as node:
        for block, table in enumerate(WRITES[::2]):
            await asyncio.to_thread(node.start)
            chosen = await checked_import(scenario, prefix, block, SMALL)
            await killed_while_writing(scenario, node, chosen, table)
            tally.kills += 1
            await observe(scenario, chosen, tally)
    tally.expected(finding, within_s=LEASE_S + 30)


async def observe(scenario: Scenario[FaultCluster], chosen: CheckedImport, tally: ImportTally) -> None:
    """Follow the page until the import is applied, and count what is wrong then."""
    began_at, state, attempts = time.monotonic(), "", 0
    while state != "applied" and time.monotonic() - began_at < IMPORT_WITHIN_S:
        ((state, attempts),) = await scenario.aquery(IMPORT_STATE, chosen.pk)
        tally.wrong_progress += await is_progress_wrong(scenario, chosen)
        await asyncio.sleep(0.1)
    tally.longest_s = max(tally.longest_s, time.monotonic() - began_at)
    tally.attempts = max(tally.attempts, attempts)
    tally.not_applied += state != "applied"
    tally.wrong_progress += await is_progress_wrong(scenario, chosen, is_over=True)
    uids, label = f"^{chosen.prefix}-({chosen.block - 1}|{chosen.block})-", f"Lane {chosen.block}"
    ((labelled, changed),) = await scenario.aquery(IMPORT_ROWS, uids, label, uids, label)
    tally.wrong_rows += abs(labelled - chosen.changes) + abs(changed - (chosen.changes - chosen.rows))
    ((audited,),) = await scenario.aquery(IMPORT_AUDITED, str(chosen.pk))
    tally.wrong_audit += abs(audited - 1)


async def is_progress_wrong(scenario: Scenario[FaultCluster], chosen: CheckedImport, *, is_over: bool = False) -> bool:
    """Whether the page shows more rows than there are, or still a progress when all is over."""
    status, page = await asyncio.to_thread(scenario.environment.nodes[-1].get, chosen.path, Cookie=scenario.cookie)
    shown = PROGRESS.search(page)
    if status != 200 or (is_over and shown):
        return True
    return bool(shown) and (int(shown[2]) > int(shown[1]) or int(shown[1]) != chosen.changes)


async def await_state(scenario: Scenario[FaultCluster], chosen: CheckedImport, state: str) -> None:
    async with asyncio.timeout(IMPORT_WITHIN_S):
        while (await scenario.aquery(IMPORT_STATE, chosen.pk))[0][0] != state:
            await asyncio.sleep(0.005)


async def slow_leader(scenario: Scenario[FaultCluster]) -> str:
    """The clock that leads the lane of imports."""
    async with asyncio.timeout(30):
        while not (found := await scenario.aquery(SLOW_LEADER, SLOW_LANE)):
            await asyncio.sleep(0.1)
    return str(found[0][0])


def _demand_accepted(status: int) -> None:
    if status != 200:
        raise RuntimeError(f"the import was not started: HTTP {status}")


def _clock(scenario: Scenario[FaultCluster], name: str) -> Service:
    return next(clock for clock in scenario.environment.clocks if clock.name == name)


FAULTS = (
    fault("kill-in-import", "kill -9 of the clock while it applies imports of 4,000 rows", kill_during_imports),
    fault("kill-in-small-import", "kill -9 of a node while it applies imports", kill_during_small_imports),
)
