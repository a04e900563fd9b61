"""The limits of a terminal, and the errors above them."""

import pytest

from tests.support.link.terminal import Terminal
from tms.protocol import limits

pytestmark = pytest.mark.both


@pytest.mark.parametrize(
    ("frame", "kind", "where"),
    [
        ("{", "tms:bad-json", "$"),
        ("[]", "tms:bad-frame", "$"),
        ('"text"', "tms:bad-frame", "$"),
        ({"jsonrpc": "2.0", "method": "dance", "params": {}}, "tms:unknown-method", "$.method"),
        ({"jsonrpc": "2.0", "method": "report", "params": {"seq": "1"}}, "tms:bad-frame", "$.params.seq"),
        ({"jsonrpc": "2.0", "method": "report", "params": {"seq": -1}}, "tms:bad-frame", "$.params.seq"),
        ('{"a":' * 20 + "1" + "}" * 20, "tms:too-deep", "$"),
        (b"\xff\xfe", "tms:bad-json", "$"),
    ],
)
async def test_a_bad_frame_is_answered_and_the_link_stays_open(tms, enrol, frame, kind, where):
    async with await Terminal.connect(tms.link, enrol()) as terminal:
        await terminal.boot()

        await terminal.send(frame)
        refusal = await terminal.receive()
        await terminal.report(1)
        await terminal.acknowledged(1)

    assert refusal["error"]["data"] == {"type": kind, "where": where}
    assert refusal["error"]["message"]


async def test_twenty_bad_frames_in_a_minute_close_the_link(tms, enrol):
    async with await Terminal.connect(tms.link, enrol()) as terminal:
        await terminal.boot()

        for _ in range(limits.BAD_FRAMES_PER_MINUTE):
            await terminal.send("{")

        assert await terminal.closed() == 4400


async def test_a_report_before_the_boot_is_refused(tms, enrol):
    async with await Terminal.connect(tms.link, enrol()) as terminal:
        await terminal.report(1)

        refusal = await terminal.receive()

    assert refusal["error"]["data"]["type"] == "tms:not-booted"


async def test_a_second_boot_on_a_link_is_refused(tms, enrol):
    async with await Terminal.connect(tms.link, enrol()) as terminal:
        await terminal.boot()

        await terminal.call("boot", call_id=2, boot_id="boot-2")
        refusal = await terminal.receive()

    assert refusal["id"] == 2
    assert refusal["error"]["data"]["type"] == "tms:already-booted"


async def test_a_frame_above_the_size_limit_closes_the_link(tms, enrol):
    async with await Terminal.connect(tms.link, enrol()) as terminal:
        await terminal.boot()

        await terminal.send(" " * (limits.FRAME_BYTES + 1))

        assert await terminal.closed() == 4413


async def test_a_report_above_the_rate_limit_closes_the_link_so_that_it_is_sent_again(tms, enrol):
    credential = enrol()
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot()

        for seq in range(1, limits.FRAMES_BURST + 10):
            await terminal.report(seq)
        answers = [await terminal.receive()]
        while "error" not in answers[-1]:
            answers.append(await terminal.receive())

        assert answers[-1]["error"]["data"]["type"] == "tms:too-fast"
        assert await terminal.closed() == 4429
    async with await Terminal.connect(tms.link, credential) as terminal:
        assert (await terminal.boot())["acked_seq"] == limits.FRAMES_BURST


async def test_heartbeats_above_the_rate_limit_are_refused_before_the_link_is_closed(tms, enrol):
    async with await Terminal.connect(tms.link, enrol()) as terminal:
        await terminal.boot()

        for _ in range(3 * limits.FRAMES_BURST):
            await terminal.call("heartbeat")
        refusal = await terminal.receive()

        assert refusal["error"]["data"]["type"] == "tms:too-fast"
        assert await terminal.closed() == 4429
