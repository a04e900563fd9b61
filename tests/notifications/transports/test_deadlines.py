"""A server that answers a byte at a time holds no thread for long."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_network

import pytest

from tests.support.notifications.destinations import webhook_destination
from tms.lib.outgoing import bounded_http
from tms.lib.outgoing.bounded_http import FetchError
from tms.lib.outgoing.deadlines import WatchedConnection
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models.destination import Destination
from tms.notifications.transports import http_client

LOOPBACK = [ip_network("127.0.0.1")]
ANSWER = b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100 + b"\r\nContent-Length: 0\r\n\r\n"
"""Takes three seconds, if nothing ends it."""


@pytest.fixture
def slow_server() -> Iterator[str]:
    """The host and port of one."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as connection:
                for byte in ANSWER:
                    if stop.wait(0.02):
                        return
                    connection.sendall(bytes([byte]))

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        stop.set()
        thread.join()


def by_webhook(host: str) -> str:
    return send_test(webhook_destination(f"http://{host}/")).outcome.value


def by_apprise(host: str) -> str:
    chat = Destination(kind="chat", name="Chat")
    chat.set_address(f"json://{host}/")
    chat.save()
    return send_test(chat).outcome.value


def by_fetch(host: str) -> str:
    try:
        bounded_http.fetch(f"http://{host}/", permitted=LOOPBACK, may_be_plain=True)
    except FetchError as error:
        return str(error)
    return "delivered"


SENDERS = {
    "webhook": (by_webhook, http_client, "retry"),
    "chat": (by_apprise, http_client, "retry"),
    "fetch": (by_fetch, bounded_http, "The response took longer than 0 s."),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("send", "module", "outcome"), SENDERS.values(), ids=SENDERS)
def test_a_slow_answer_ends_at_the_deadline(
    slow_server, settings, monkeypatch, send: Callable[[str], str], module, outcome
):
    settings.INSIDE_DESTINATIONS = LOOPBACK
    monkeypatch.setattr(module, "ALTOGETHER_S", 0.2)

    assert send(slow_server) == outcome


def test_the_end_of_a_closed_connection_reaches_none_that_has_its_descriptor_now():
    first, other = socket.socketpair()
    second, far = socket.socketpair()
    with first, other, second, far:
        WatchedConnection.of(first, 0.0)._replace(descriptor=second.fileno()).end()

        second.sendall(b"x")
        assert far.recv(1) == b"x"


def test_the_end_of_a_closed_connection_leaves_a_pipe_with_its_descriptor_to_its_owner():
    first, other = socket.socketpair()
    reading, writing = os.pipe()
    with first, other, os.fdopen(reading, "rb") as end:
        WatchedConnection.of(first, 0.0)._replace(descriptor=writing).end()

        os.close(writing)
        os.set_blocking(end.fileno(), False)
        assert end.read() == b""  # None, while another descriptor of the pipe is open
