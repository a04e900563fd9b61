"""Messages that are handled where they are read, without waking a task for each."""

import asyncio
import weakref

from tests.support.link.raw_client import Closed, frame
from tms.server.applications import Mailbox
from tms.server.websocket.input import BEHIND, BoundedInput


def test_messages_are_handled_in_order_even_if_many_arrive_at_once(server):
    client = server.connect("/deliver")

    client.send_raw(b"".join(frame(str(number)) for number in range(1000)))

    assert [client.receive() for _ in range(1000)] == [str(number) for number in range(1000)]


def test_text_bytes_and_fragments_are_accepted(server):
    client = server.connect("/deliver")

    unfinished = b"\x01" + frame("frag")[1:]
    client.send_raw(frame("é") + frame(b"\x00\xff", 2) + unfinished + frame("mented", 0))

    assert [client.receive() for _ in range(3)] == ["é", b"\x00\xff", "fragmented"]


def test_nothing_is_handled_while_the_application_is_behind_and_everything_afterwards(server):
    client = server.connect("/deliver")
    texts = ["before", "slow", *(str(number) for number in range(100))]

    client.send_raw(b"".join(map(frame, texts)))

    paused = server.counted("input_paused")
    assert paused["received"] == 2
    assert paused["queued"] <= 32
    server.open_gate()
    assert [client.receive() for _ in texts] == texts


def test_a_client_that_closes_while_the_application_is_behind_leaves_nothing_behind(server):
    client = server.connect("/deliver")
    client.send("slow")
    assert client.receive() == "slow"

    client.vanish()
    server.wait_for(lambda facts: facts["sockets"] == 0)
    server.open_gate()

    assert server.emptied()["ends"] == [0]


def test_a_failure_ends_the_application_and_closes_its_socket(server):
    server.may_fail = True
    client = server.connect("/deliver")

    client.send("fail")

    closed = client.receive()
    assert isinstance(closed, Closed)
    assert closed.code == 1011
    assert "boom" in server.log
    assert server.facts()["received"] == 0


def test_a_task_that_was_awaited_does_not_stay_until_the_next_message():
    async def deliver() -> object:
        connection = BoundedInput()
        connection.application_queue = Mailbox()
        delivering = asyncio.ensure_future(connection.deliver(lambda content: None))
        behind = asyncio.ensure_future(asyncio.sleep(0))
        connection.application_queue.put_nowait({"type": BEHIND, BEHIND: behind})
        await behind
        await asyncio.sleep(0)
        seen = weakref.ref(behind)
        del behind
        connection.application_queue.put_nowait({"type": "websocket.disconnect"})
        left = seen()
        await delivering
        return left

    assert asyncio.run(deliver()) is None
