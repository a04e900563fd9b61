"""Frames that TMS sends."""

import json

import pytest

from tms.protocol import downlink
from tms.protocol.errors import RPC_CODES, ErrorType, FrameError


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
