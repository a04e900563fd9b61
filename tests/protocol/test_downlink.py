"""Frames that TMS sends."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms.protocol import downlink, frames
from tms.protocol.errors import RPC_CODES, ErrorType, FrameError

AT = datetime(2026, 11, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "sent",
    [
        downlink.AckCall(frames.AckFrame(5)),
        downlink.AckCall(frames.AckFrame(5, "earlier")),
        downlink.CommandCall("c1", frames.CommandFrame("ping", {"size": 3}, AT)),
        downlink.DrainCall(frames.DrainFrame(1.0, 30.0)),
        downlink.BootAnswer(1, frames.BootResult(12, 30.0, AT, 4)),
        downlink.Refusal(None, FrameError(ErrorType.TOO_FAST, "too fast").as_rpc()),
        downlink.Refusal("x", FrameError(ErrorType.NOT_BOOTED, "boot first").as_rpc()),
    ],
)
def test_an_agent_decodes_what_the_server_encodes(sent):
    assert downlink.decode(downlink.encode(sent)) == sent


def test_an_acknowledgement_is_minimal():
    assert json.loads(downlink.ack(5)) == {"jsonrpc": "2.0", "method": "ack", "params": {"seq": 5}}
    assert json.loads(downlink.ack(5, "earlier"))["params"] == {"seq": 5, "boot_id": "earlier"}


@pytest.mark.parametrize("kind", ErrorType)
def test_every_error_contains_its_type_and_location(kind):
    answer = json.loads(downlink.refusal(FrameError(kind, "what is right", where="$.params.seq", id=3)))

    assert answer == {
        "jsonrpc": "2.0",
        "id": 3,
        "error": {
            "code": RPC_CODES[kind],
            "message": "what is right",
            "data": {"type": kind.value, "where": "$.params.seq"},
        },
    }


def test_a_method_of_a_newer_server_is_reported_as_unknown():
    request = downlink.decode('{"jsonrpc":"2.0","id":4,"method":"config","params":{"version":2}}')
    notice = downlink.decode('{"jsonrpc":"2.0","method":"news"}')

    assert isinstance(request, downlink.Unknown)
    assert isinstance(notice, downlink.Unknown)
    assert (request.method, request.id, notice.method) == ("config", 4, "news")


def test_fields_of_a_newer_server_are_ignored():
    answer = downlink.decode(
        '{"jsonrpc":"2.0","id":1,"result":{"session":1,"heartbeat_s":30,"server_time":"2026-11-25T00:30:00Z",'
        '"moon":"full","limits":{"frame_bytes":1024,"moons":2}}}'
    )

    assert isinstance(answer, downlink.BootAnswer)
    assert answer.result.limits == frames.Limits(frame_bytes=1024)


@given(st.binary() | st.text(st.characters()))
def test_any_input_from_a_server_is_a_frame_or_a_frame_error(data):
    with suppress(FrameError):
        assert downlink.decode(data)
