"""The protocol of each system under test. Everything else about the load is the same for all."""

import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

import msgspec

from benchmarks.running.fleet import PROBE, credential

STATUSES = ("ok", "degraded", "fault")


class BoardPath(NamedTuple):
    path: str
    is_timed: bool = True
    """Whether it shows the probe, so that its delay can be measured."""


class ClientProtocol(Protocol):
    board_paths: Sequence[BoardPath]
    """Boards are opened on these in turn; empty for a system without boards."""
    watched_paths: Sequence[BoardPath]
    """The same while a fleet comes back: every kind of board that shows it."""

    def terminal_path(self, uid: str) -> str: ...

    def handshake(self, uid: str) -> dict[str, str]:
        """Headers of a terminal's handshake."""

    def boot(self, boot_id: str) -> bytes: ...

    def report(self, seq: int, status: str, number: int, paper: int) -> bytes:
        """A report with `status`, and `number` and `paper` among its metrics."""

    def acknowledged(self, payload: bytes) -> int | None:
        """The last report that the server acknowledges; 0 for the answer to a boot, None for anything else."""

    def answer(self, payload: bytes) -> bytes | None:
        """What a terminal answers to anything but an acknowledgement."""

    def probe_number(self, payload: bytes) -> int | None:
        """The number in the probe's last report, if this message to a board shows it."""

    page: str
    """The path of the page with the probe."""
    probe_on_page: tuple[str, str]
    """The selector of its row, and the pattern of its number in the row's text."""

    broadcast_group: str
    """A group that reaches every board."""

    def layer(self, redis_url: str) -> Any:
        """The channel layer of that group."""

    def broadcast(self, text: str) -> dict[str, str]: ...


class NoCalls:
    """A protocol without calls to terminals, or one whose calls terminals leave unanswered."""

    def answer(self, payload: bytes) -> bytes | None:
        return None


class NoBoards(NoCalls):
    """What the protocol of a system without boards lacks."""

    board_paths: Sequence[BoardPath] = ()
    watched_paths: Sequence[BoardPath] = ()
    page = ""
    probe_on_page = ("", "")
    broadcast_group = ""

    def probe_number(self, payload: bytes) -> int | None:
        raise NotImplementedError

    def layer(self, redis_url: str) -> Any:
        raise NotImplementedError

    def broadcast(self, text: str) -> dict[str, str]:
        raise NotImplementedError


class _Ack(msgspec.Struct, frozen=True):
    seq: int = 0


class _Downlink(msgspec.Struct):
    method: str = ""
    params: _Ack = _Ack()
    result: Any = None


def board_path(page: str, *, is_timed: bool = False) -> BoardPath:
    """The URL of TMS's board that shows `page`."""
    return BoardPath(f"/ws/board/?page={quote(page, safe='')}", is_timed)


READINGS = "temperature_c,cpu_pct,link_rtt_ms,paper_pct"
LIST = f"/terminals/?columns=uid,presence,status,severity,site,model,firmware,seen,{READINGS}"
"""The list with the round-trip time, in which the probe sends its number."""


class TmsProtocol(NoCalls):
    board_paths: Sequence[BoardPath] = (board_path(LIST, is_timed=True), board_path("/"))
    watched_paths: Sequence[BoardPath] = (*board_paths, board_path("/alerts/"))

    _decode = msgspec.json.Decoder(_Downlink).decode
    _probe_number = re.compile(rb'<tr id=\\"terminal-1\\" (?:(?!</tr>).)*?>([\d,]+) ms</td>')
    """The probe is the first terminal of the seed; the HTML is in a JSON string."""

    def terminal_path(self, uid: str) -> str:
        return "/ws/terminal/"

    def handshake(self, uid: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {credential(uid)}", "Sec-WebSocket-Protocol": "tms.v1"}

    def boot(self, boot_id: str) -> bytes:
        return (
            b'{"jsonrpc":"2.0","id":1,"method":"boot","params":{"boot_id":"%s","uptime_s":12.5,'
            b'"serial":"S-1000","model":"Bench 3","firmware":"4.2.0","agent":"benchmark 1"}}' % boot_id.encode()
        )

    def report(self, seq: int, status: str, number: int, paper: int) -> bytes:
        return b'{"jsonrpc":"2.0","method":"report","params":{"seq":%d,%s}}' % (seq, state(status, number, paper))

    def acknowledged(self, payload: bytes) -> int | None:
        frame = self._decode(payload)
        if frame.method == "ack":
            return frame.params.seq
        return None if frame.result is None else 0

    def probe_number(self, payload: bytes) -> int | None:
        row = self._probe_number.search(payload)
        return int(row[1].replace(b",", b"")) if row else None

    page = LIST
    probe_on_page = ("#terminal-1", r"([\d,]+) ms")

    broadcast_group = "herald"

    def layer(self, redis_url: str) -> Any:
        from channels_redis.pubsub import RedisPubSubChannelLayer

        return RedisPubSubChannelLayer(hosts=[redis_url], prefix="tms")

    def broadcast(self, text: str) -> dict[str, str]:
        return {"type": "herald", "frame": f'{{"kind":"patch","html":"{text}"}}'}


class _Message(msgspec.Struct):
    type: str
    seq: int = 0
    metrics: dict[str, float] = {}


class TextbookProtocol(NoCalls):
    board_paths: Sequence[BoardPath] = (BoardPath("/ws/board/"),)
    watched_paths: Sequence[BoardPath] = board_paths

    _decode = msgspec.json.Decoder(_Message).decode
    _probe = PROBE.encode()

    def terminal_path(self, uid: str) -> str:
        return "/ws/terminal/"

    def handshake(self, uid: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {credential(uid)}"}

    def boot(self, boot_id: str) -> bytes:
        return b'{"type":"boot","boot_id":"%s"}' % boot_id.encode()

    def report(self, seq: int, status: str, number: int, paper: int) -> bytes:
        return b'{"type":"report","seq":%d,%s}' % (seq, state(status, number, paper))

    def acknowledged(self, payload: bytes) -> int | None:
        message = self._decode(payload)
        if message.type == "ack":
            return message.seq
        return 0 if message.type == "booted" else None

    def probe_number(self, payload: bytes) -> int | None:
        return int(self._decode(payload).metrics.get("link_rtt_ms", 0)) if self._probe in payload else None

    page = "/"
    probe_on_page = (f"#{PROBE}", r"(\d+) ms")

    broadcast_group = "boards"

    def layer(self, redis_url: str) -> Any:
        from channels_redis.core import RedisChannelLayer

        return RedisChannelLayer(hosts=[redis_url])

    def broadcast(self, text: str) -> dict[str, str]:
        return {"type": "terminal.changed", "text": text}


def state(status: str, number: int, paper: int) -> bytes:
    """The report of a terminal, the same for every system. Of its values only `paper` may trigger a default rule."""
    text = (
        f'"at":"{datetime.now(UTC).isoformat()}","status":"{status}","metrics":{{'
        f'"cpu_pct":{random.uniform(5, 80):.1f},"temperature_c":{random.uniform(30, 50):.1f},'
        f'"paper_pct":{paper},"link_rtt_ms":{number}}}'
    )
    return text.encode()
