"""Many idle sockets at one node."""

import re
import time
from pathlib import Path

from deploy.processes.node import NodeProcess
from tests.support.link.raw_client import Client

LIMITS = {"TMS_MAX_CONNECTIONS": "400", "TMS_SPARE_CONNECTIONS": "50", "TMS_BOARDS_PER_PERSON": "40"}
MAX_ATTEMPTS = 2_000
ADMITTED_WITHIN_S = 10.0
CONNECTIONS = re.compile(r"^tms_connections (\S+)", re.MULTILINE)
DESCRIPTORS = re.compile(r"^Max open files +(\d+)", re.MULTILINE)


class ConnectionFlood:
    def __init__(self, node: NodeProcess, cookie: str) -> None:
        self.node = node
        self.boards = 0
        self.connections = 0.0
        self.descriptors = 0.0
        """The highest share of the node's limit that was in use."""
        self.refusals: list[int] = []
        self._clients: list[Client] = []
        self._headers = [f"Cookie: {cookie}", "Origin: http://server"]

    def fill(self) -> None:
        """Open boards until one is refused, connections until the node is full, and more until it stops listening."""
        while self._opens_a_board():
            self.boards += 1
        while (left := self._room()) > 0:
            self._connect(round(left))
        self._opens_a_board()
        self._connect_until_refused()

    def close(self) -> None:
        while self._clients:
            self._clients.pop().vanish()

    def admitted_again(self) -> float | None:
        """Seconds."""
        began_at = time.monotonic()
        while (took_s := time.monotonic() - began_at) < ADMITTED_WITHIN_S:
            try:
                if self._opens_a_board():
                    self.close()
                    return took_s
            except OSError:
                time.sleep(0.05)
        return None

    def _opens_a_board(self) -> bool:
        client = Client(self.node.port)
        self._clients.append(client)
        client.dial()
        client.shake_hands("/ws/board/?page=/alerts/", self._headers)
        if client.status != 101:
            self.refusals.append(client.status)
        return client.status == 101

    def _room(self) -> float:
        self.connections = float(CONNECTIONS.findall(self.node.get("/metrics")[1])[0])
        return float(LIMITS["TMS_MAX_CONNECTIONS"]) - self.connections

    def _connect(self, number: int) -> None:
        for _ in range(number):
            client = Client(self.node.port)
            self._clients.append(client)
            client.dial()

    def _connect_until_refused(self) -> None:
        for _ in range(MAX_ATTEMPTS):
            try:
                self._connect(1)
            except ConnectionRefusedError:
                break
            time.sleep(0.002)
        process = Path(f"/proc/{self.node.pid}")
        allowed = int(DESCRIPTORS.findall((process / "limits").read_text())[0])
        self.descriptors = len(list((process / "fd").iterdir())) / allowed
