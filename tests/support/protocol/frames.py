"""Frames of a terminal as on the link."""

import json

from tms.protocol import uplink
from tms.protocol.errors import FrameError

AT = "2026-11-25T09:30:00+09:00"


def call(method: str, request_id: object = None, **params: object) -> str:
    frame = {"jsonrpc": "2.0", "method": method, "params": params}
    return json.dumps(frame if request_id is None else frame | {"id": request_id})


def report(**params: object) -> str:
    return call("report", **{"seq": 1, "at": AT} | params)


def decoded(text: str | bytes) -> uplink.Uplink | FrameError:
    """The server's result for a message with one frame."""
    frames = list(uplink.decode(text))
    assert len(frames) == 1
    return frames[0]
