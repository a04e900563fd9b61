"""The protocol of the peers, as the load speaks it."""

from base64 import b64encode
from typing import Any

import msgspec

from benchmarks.load.client_protocol import NoBoards, state
from benchmarks.running.fleet import secret

RESULT = 3
"""The type of a message that answers a call; errors have another one."""


class OcppProtocol(NoBoards):
    """OCPP 1.6 over JSON. A report is the text of a DataTransfer, whose content is defined by the vendor.

    The id of a call is the number of its report, and 0 for the boot.
    """

    _decode = msgspec.json.Decoder(list[Any]).decode

    def terminal_path(self, uid: str) -> str:
        return f"/ocpp/{uid}"

    def handshake(self, uid: str) -> dict[str, str]:
        basic = b64encode(f"{uid}:{secret(uid)}".encode()).decode()
        return {"Authorization": f"Basic {basic}", "Sec-WebSocket-Protocol": "ocpp1.6"}

    def boot(self, boot_id: str) -> bytes:
        return (
            b'[2,"0","BootNotification",{"chargePointVendor":"TMS","chargePointModel":"Bench 3",'
            b'"chargePointSerialNumber":"S-1000","firmwareVersion":"4.2.0"}]'
        )

    def report(self, seq: int, status: str, number: int, paper: int) -> bytes:
        text = b'{"seq":%d,%s}' % (seq, state(status, number, paper))
        return b'[2,"%d","DataTransfer",{"vendorId":"TMS","messageId":"report","data":"%s"}]' % (
            seq,
            text.replace(b'"', b'\\"'),
        )

    def acknowledged(self, payload: bytes) -> int | None:
        kind, call_id, *_ = self._decode(payload)
        return int(call_id) if kind == RESULT else None
