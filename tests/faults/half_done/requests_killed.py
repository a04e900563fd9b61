"""A node dies while it answers a request that changes something."""

import asyncio
import contextlib
import json
import random
import secrets
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from http.client import HTTPException
from typing import NamedTuple
from urllib.error import HTTPError

from deploy.processes.node import NodeProcess
from tests.faults.fault import Fault, Finding
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.held import held_process, wait_until_disconnected, writers_held
from tests.faults.scenario.scenario import Scenario

RANDOM_KILLS = 6
RANDOM_WITHIN_S = 0.4
"""Longer than a request takes, so that some die after the commit."""
TERMINALS = 8
NO_ANSWER = 0


@contextlib.asynccontextmanager
async def node_of_people(scenario: Scenario[FaultCluster]) -> AsyncIterator[NodeProcess]:
    """A node without terminals, whose death disturbs nothing else."""
    cluster, name = scenario.environment, "node-people"
    settings = cluster.environment | {"PGAPPNAME": name}
    node = NodeProcess(name=name, folder=cluster.folder / name, environment=settings)
    try:
        yield node
    finally:
        await asyncio.to_thread(node.kill)


def post(node: NodeProcess, path: str, headers: Mapping[str, str], body: bytes = b"") -> int:
    """The status, also of the page to which it redirects."""
    request = urllib.request.Request(node.url + path, data=body, headers=dict(headers), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
    except (OSError, HTTPException):  # its node was killed
        return NO_ANSWER


type Send = Callable[[NodeProcess], int]
"""Send one request to a node. Returns the status."""


async def killed_while_writing(scenario: Scenario[FaultCluster], node: NodeProcess, send: Send, table: str) -> None:
    """Kill `node` while its transaction waits to write to `table`."""
    async with writers_held(scenario, table):
        request = asyncio.create_task(asyncio.to_thread(send, node))
        await held_process(scenario, table, [node.name], request=request)
        await asyncio.to_thread(node.kill)
    await request
    await wait_until_disconnected(scenario, node.name)


async def killed_after(scenario: Scenario[FaultCluster], node: NodeProcess, send: Send, delay_s: float) -> None:
    request = asyncio.create_task(asyncio.to_thread(send, node))
    await asyncio.sleep(delay_s)
    await asyncio.to_thread(node.kill)
    await request
    await wait_until_disconnected(scenario, node.name)


async def killed_requests(
    scenario: Scenario[FaultCluster], writes: Sequence[str], sends: Callable[[], Send]
) -> AsyncIterator[Send]:
    """The request of each kill, once the node is dead and its transaction has ended. `sends` makes the next request."""
    async with node_of_people(scenario) as node:
        for moment in (*writes, *(random.uniform(0, RANDOM_WITHIN_S) for _ in range(RANDOM_KILLS))):
            await asyncio.to_thread(node.start)
            await asyncio.to_thread(node.get, "/api/v1/terminals")  # its first request is slower
            send = sends()
            if isinstance(moment, str):
                await killed_while_writing(scenario, node, send, moment)
            else:
                await killed_after(scenario, node, send, moment)
            yield send


class Changed(NamedTuple):
    """Terminals that only one fault changes, and the token of a person."""

    uids: Sequence[str]
    token: str

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}


async def terminals_to_change(scenario: Scenario[FaultCluster]) -> Changed:
    made = await prepared(scenario, f"terminals('C{secrets.token_hex(3)}', {TERMINALS})")
    return Changed(made["uids"], made["token"])


async def prepared(scenario: Scenario[FaultCluster], call: str) -> dict[str, object]:
    output = await scenario.manage("shell", "-c", f"from tests.faults.scenario import changes; changes.{call}")
    return dict(json.loads(output.splitlines()[-1]))


async def half_done(scenario: Scenario[FaultCluster], sql: str, changed: Changed) -> int:
    found = await scenario.aquery(sql, list(changed.uids))
    if found:
        print(f"half done: {', '.join(uid for (uid,) in found)}")
    return len(found)


def fault(
    name: str, title: str, inject: Callable[[Scenario[FaultCluster], Finding], Awaitable[None]]
) -> Fault[Scenario[FaultCluster]]:
    return Fault(name, "each change happens once and as a whole, or not at all", title, inject)
