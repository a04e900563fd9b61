"""A server in a separate process, and its state as seen from outside."""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.link.raw_client import HOST, Client
from tests.support.polling import DEADLINE_S, wait_for

ROOT = Path(__file__).resolve().parent.parent.parent

QUICK = {"drain_spread": 0.1, "close_timeout": 1.0}

type Facts = dict[str, Any]


class ServerProcess:
    """`flow` names limits that differ from the defaults.

    The log must be free of tracebacks unless `may_fail`.
    """

    def __init__(self, flow: Mapping[str, Any], *, env: Mapping[str, str] | None = None, **options: Any) -> None:
        self.may_fail = False
        self.log_start = 0
        self.port = 0  # until it has started
        self.log_file = tempfile.TemporaryFile("w+")  # noqa: SIM115  (as long as the process)
        given = json.dumps({"flow": QUICK | flow, **options})
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.server.serve", given],
            cwd=ROOT,
            env=os.environ | (env or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log_file,
            text=True,
        )
        self.clients: list[Client] = []
        self.events: queue.Queue[Facts] = queue.Queue()
        self.reader = threading.Thread(target=self.read_events)
        self.reader.start()

    def read_events(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.events.put(json.loads(line))

    def event(self, name: str) -> Facts:
        """The next event, which must be this one."""
        try:
            facts = self.events.get(timeout=DEADLINE_S)
        except queue.Empty:
            raise AssertionError(f"no event {name}; log:\n{self.log}") from None
        assert facts["event"] == name, f"{facts}, not {name}; log:\n{self.log}"
        return facts

    def started(self) -> None:
        """Wait until it is ready; at once, if it was before."""
        if not self.port:
            self.port = self.event("starting")["port"]
            self.event("ready")

    @property
    def log(self) -> str:
        self.log_file.seek(self.log_start)
        return self.log_file.read()

    # Clients

    def dial(self, first: bytes = b"", **options: Any) -> Client:
        """A connection that has sent these bytes and read nothing."""
        client = Client(self.port, **options)
        self.clients.append(client)
        client.dial()
        client.send_raw(first)
        return client

    def connect(self, path: str = "/echo", headers: Sequence[str] = (), **options: Any) -> Client:
        """A connection whose upgrade was answered, either way."""
        client = self.dial(**options)
        client.shake_hands(path, headers)
        return client

    def get(self, path: str, over: Client | None = None) -> bytes:
        """Check over an open connection, because a closed listener accepts no new one."""
        if over is None:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}{path}", timeout=DEADLINE_S) as answer:
                body: bytes = answer.read()
            return body
        over.send_raw(f"GET {path} HTTP/1.1\r\nHost: server\r\n\r\n".encode())
        over.read_head()
        return over.read_body()

    def facts(self, over: Client | None = None) -> Facts:
        facts: Facts = json.loads(self.get("/facts", over))
        return facts

    def open_gate(self, over: Client | None = None) -> None:
        self.get("/open-gate", over)

    def wait_for(self, holds: Callable[[Facts], bool]) -> Facts:
        return wait_for(self.facts, holds)

    def counted(self, event: str, times: int = 1) -> Facts:
        return self.wait_for(lambda facts: facts["counters"].get(event, 0) >= times)

    def wait_until_read(self, client: Client) -> None:
        """Wait until the server has read what this client sent."""
        peer = client.socket.getsockname()[1]
        wait_for(lambda: received_bytes(self.port, peer), lambda unread: unread == 0)

    def emptied(self) -> Facts:
        """No connection and no application is left except those that check."""
        return self.wait_for(lambda facts: facts["connections"] == facts["applications"] == facts["inside"] == 1)

    def resident_kib(self) -> int:
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGESIZE") // 1024

    # The process

    def send(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def send_signal(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)

    def exit_code(self) -> int:
        try:
            return self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the process did not end; log:\n{self.log}") from None

    def renew(self) -> None:
        """Reset it for the next test; fails if something of the last one is left."""
        self.leave()
        self.emptied()
        self.get("/renew")
        self.check_log()
        self.log_start = os.fstat(self.log_file.fileno()).st_size
        self.may_fail = False

    def discard(self) -> None:
        self.leave()
        self.process.kill()
        self.process.wait()
        self.reader.join()
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        with self.log_file:
            self.check_log()

    def leave(self) -> None:
        for client in self.clients:
            client.vanish()
        self.clients.clear()

    def check_log(self) -> None:
        assert self.may_fail or "Traceback" not in self.log, self.log


def received_bytes(port: int, peer: int) -> int:
    """What the kernel has received for a socket of the server that is not read yet."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    queues = [row[4] for row in rows if row[1].endswith(f":{port:04X}") and row[2].endswith(f":{peer:04X}")]
    return sum(int(queue.partition(":")[2], 16) for queue in queues)
