"""Frames of a terminal as they stand on the wire."""

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
    """What the server makes of a message that holds one frame."""
    frames = list(uplink.decode(text))
    assert len(frames) == 1
    return frames[0]
