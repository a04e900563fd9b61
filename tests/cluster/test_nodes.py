"""Several nodes are one TMS: a change on one of them applies to all."""

import asyncio
import json
import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Any
from urllib.error import HTTPError

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.cluster.people import Person
from tests.cluster.settings import PASSWORD, TAKEOVERS
from tests.support.link.terminal import Terminal
from tests.support.polling import DEADLINE_S, wait_for_value_async

pytestmark = pytest.mark.services


ALERTS = """
SELECT a.severity, a.state FROM alerts_alert a JOIN fleet_terminal t ON t.id = a.terminal_id
JOIN alerts_rule r ON r.id = a.rule_id WHERE t.uid = %s AND r.event_code = 'tms.duplicate_credential'
"""
COMMANDS = "SELECT c.state FROM commands_command c JOIN fleet_terminal t ON t.id = c.terminal_id WHERE t.uid = %s"


def uid_of(credential: str) -> str:
    return credential.partition(".")[0]


async def shown(board: ClientConnection, pattern: str) -> None:
    """Wait until a frame of `board` contains it."""
    async with asyncio.timeout(DEADLINE_S):
        while not re.search(pattern, json.loads(await board.recv()).get("html", ""), re.DOTALL):
            pass


async def closed(board: ClientConnection) -> int | None:
    """The code with which the server closes."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                await board.recv()
            except ConnectionClosed:
                return board.close_code


async def test_the_newest_link_wins_on_any_nodes(cluster, credential):
    first, second, _ = cluster.nodes
    older = await Terminal.connect(first.link, credential)
    await older.boot("boot-1")

    newer = await Terminal.connect(second.link, credential)
    await newer.boot("boot-2")

    assert await older.closed() == 4409
    await newer.report(1)
    await newer.acknowledged(1)
    await newer.socket.close()


async def test_devices_that_replace_each_other_on_several_nodes_are_banned_on_all(cluster, credential, query):
    links = []
    for number, node in enumerate(islice(cycle(cluster.nodes), TAKEOVERS + 2)):
        links.append(await Terminal.connect(node.link, credential))
        await links[-1].boot(f"boot-{number}")
        if number:
            assert await links[-2].closed() == 4409

    for node in cluster.nodes:
        assert await refusal(node.link, credential) == 429
    await wait_for_value_async(lambda: query(ALERTS, uid_of(credential)), [("critical", "open")])
    await links[-1].socket.close()


async def refusal(link: str, credential: str) -> int:
    """The status of the first refused handshake. Earlier ones do not boot, and replace nothing."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                terminal = await Terminal.connect(link, credential)
            except InvalidStatus as refused:
                return refused.response.status_code
            await terminal.socket.close()


async def test_a_command_queued_on_one_node_reaches_a_terminal_on_another(cluster, credential, person, query):
    first, _, third = cluster.nodes
    uid = uid_of(credential)
    async with await Terminal.connect(third.link, credential) as terminal:
        await terminal.boot()
        page = f"/terminals/{uid}/"

        sent = await asyncio.to_thread(
            person.post,
            first.url,
            f"{page}commands/",
            on=page,
            name="ping",
            answer_within_s="30",
            deliver_within_s="3600",
        )
        assert sent.status == 302
        command = await terminal.receive()
        await terminal.send({"jsonrpc": "2.0", "id": command["id"], "result": {}})

        assert command["params"]["name"] == "ping"
        await wait_for_value_async(lambda: query(COMMANDS, uid), [("done",)])


async def test_a_board_on_one_node_shows_the_report_of_a_terminal_on_another(cluster, credential, person):
    first, second, _ = cluster.nodes
    uid = uid_of(credential)
    async with person.board(first.url, f"/terminals/{uid}/") as board:
        await shown(board, "never")

        async with await Terminal.connect(second.link, credential) as terminal:
            await terminal.boot()
            await shown(board, 'data-presence="online"')


async def test_a_revoked_key_closes_its_link_on_any_node(cluster, credential):
    *_, third = cluster.nodes
    terminal = await Terminal.connect(third.link, credential)
    await terminal.boot()

    await asyncio.to_thread(cluster.manage, "revoke_credentials", uid_of(credential))

    assert await terminal.closed() == 4401


async def test_signing_out_on_one_node_closes_the_boards_on_the_others(cluster, person):
    first, second, third = cluster.nodes
    async with person.board(second.url, "/") as board, person.board(third.url, "/alerts/") as other:
        await asyncio.gather(board.recv(), other.recv())

        await asyncio.to_thread(person.post, first.url, "/sign-out/", on="/")

        assert await asyncio.gather(closed(board), closed(other)) == [4401, 4401]


def test_a_token_is_redeemed_once_by_twenty_devices_on_three_nodes(cluster, rows):
    def redeem(url: str) -> int:
        request = urllib.request.Request(
            f"{url}/api/v1/enrol", json.dumps({"token": rows.token}).encode(), {"X-Forwarded-Proto": "https"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status
        except HTTPError as error:
            with error:
                return error.code

    statuses = at_once(redeem, islice(cycle(node.url for node in cluster.nodes), 20))

    assert sorted(statuses) == [201] + 19 * [403]


def test_of_fifty_acknowledgements_on_three_nodes_one_counts(cluster, rows, person, trust, query):
    sato = Person(trust)
    sato.sign_in(cluster.url, "sato", PASSWORD)
    page = f"/alerts/{rows.alert}/"
    path = f"{page}acknowledge/"
    tokens = {each: each.token(cluster.url, page) for each in (person, sato)}

    def acknowledge(order: tuple[Person, str]) -> tuple[Person, int]:
        who, url = order
        return who, who.send(url, path, tokens[who], comment="on it").status

    orders = zip(cycle([person, sato]), islice(cycle(node.url for node in cluster.nodes), 50), strict=False)
    statuses = at_once(acknowledge, orders)

    by_person = {who: {status for each, status in statuses if each is who} for who in (person, sato)}
    assert sorted(by_person.values(), key=max) == [{302}, {409}]
    assert query("SELECT count(*) FROM alerts_transition WHERE kind = 'acknowledged'") == [(1,)]


def at_once(act: Any, orders: Any) -> list[Any]:
    orders = list(orders)
    with ThreadPoolExecutor(len(orders)) as pool:
        return list(pool.map(act, orders))


async def test_each_process_serves_its_own_metrics(cluster, credential):
    first, second, third = cluster.nodes
    async with await Terminal.connect(first.link, credential) as terminal:
        await terminal.boot()

        links = [(await asyncio.to_thread(node.get, "/metrics"))[1] for node in (first, second, third)]

    assert ["tms_links 1.0" in each for each in links] == [True, False, False]
