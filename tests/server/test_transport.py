"""Write-through, against a socket pair and a reactor that only records calls."""

import random
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tms.server.base.deadlines import Deadlines
from tms.server.base.flow import Flow
from tms.server.daphne.transport import FlowTransport


class Pair:
    """A transport and its peer, with small buffers."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        reactor: Any = SimpleNamespace(
            addReader=lambda _: None,
            removeReader=lambda _: None,
            addWriter=lambda _: self.calls.append("add"),
            removeWriter=lambda _: self.calls.append("remove"),
        )
        near, self.peer = socket.socketpair()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.near = near
        self.peer.setblocking(False)
        acceptor = SimpleNamespace(entered=lambda: None, left=lambda: None, deadlines=Deadlines(Flow()))
        port: Any = SimpleNamespace(acceptor=acceptor, _realPortNumber=0)
        protocol = SimpleNamespace(logPrefix=lambda: "")
        self.transport = FlowTransport(near, protocol, ("peer", 0), port, 0, reactor)

    def take(self, size: int) -> bytes:
        try:
            return self.peer.recv(size)
        except BlockingIOError:
            return b""

    def flush(self) -> None:
        if self.transport.blocked_since is not None:
            assert self.transport.doWrite() is None


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.near.close()
    pair.peer.close()


def test_data_that_the_kernel_accepts_needs_no_writer(pair):
    pair.transport.write(b"x" * 100)

    assert pair.take(1000) == b"x" * 100
    assert pair.transport.unwritten == 0
    assert pair.calls == []


def test_data_that_the_kernel_refuses_is_counted_and_written_later(pair):
    pair.transport.write(b"x" * 1_000_000)

    owed = pair.transport.unwritten
    assert 0 < owed < 1_000_000
    assert pair.calls == ["add"]
    received = 0
    while received < 1_000_000:
        received += len(pair.take(100_000))
        pair.flush()
    assert pair.transport.unwritten == 0
    assert pair.calls == ["add", "remove"]


def test_it_is_blocked_since_the_kernel_last_accepted_data(pair, monkeypatch):
    monkeypatch.setattr("tms.server.daphne.transport.monotonic", lambda: 100.0)
    pair.transport.write(b"x" * 1_000_000)
    assert pair.transport.blocked_since == 100.0

    monkeypatch.setattr("tms.server.daphne.transport.monotonic", lambda: 105.0)
    pair.flush()
    assert pair.transport.blocked_since == 100.0, "the kernel is still full"
    while pair.take(100_000):
        pass
    pair.flush()

    assert pair.transport.blocked_since == 105.0


def test_bytes_keep_their_order_in_any_sequence_of_writes_and_reads(pair):
    dice = random.Random(3)
    written, received = bytearray(), bytearray()

    for turn in range(3000):
        data = dice.randbytes(dice.choice((1, 20, 400, 5000, 200_000 if turn % 50 == 0 else 7)))
        written += data
        if dice.random() < 0.1:
            pair.transport.writeSequence([data[:3], data[3:]])
        else:
            pair.transport.write(data)
        assert (pair.transport.blocked_since is not None) == (pair.transport.unwritten > 0)
        while dice.random() < 0.7:
            received += pair.take(dice.choice((10, 3000, 100_000)))
            pair.flush()
    while len(received) < len(written):
        received += pair.take(100_000)
        pair.flush()

    assert received == written
    assert pair.transport.unwritten == 0
    assert pair.calls.count("add") == pair.calls.count("remove") > 3


def test_a_close_without_pending_data_still_registers_a_writer(pair):
    """Otherwise Twisted never closes the connection."""
    pair.transport.loseConnection()

    assert pair.calls == ["add"]
    assert pair.transport.doWrite() is not None


def test_an_error_is_left_to_the_reactor(pair):
    pair.peer.close()

    pair.transport.write(b"x")

    assert pair.calls == ["add"]
    assert isinstance(pair.transport.doWrite(), Exception)
