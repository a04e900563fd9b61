"""Which addresses TMS may connect to when a person has entered them: public ones, and those that operators allow.

The check runs where a socket connects, in an audit hook of Python. So it checks the very address that is connected
to: after the name was resolved, on every redirect, in every library. A name that resolves to another address a
moment later gains nothing. For the same reason the deadline of all connections is set there.
"""

import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from tms.lib.outgoing.deadlines import deadlines

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network

TRANSLATED = ip_network("64:ff9b::/96")
"""NAT64 prefix: the last four bytes are the IPv4 address (RFC 6052)."""
INSIDE_ALL_THE_SAME = tuple(
    ip_network(network)
    for network in (
        *("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24"),  # Azure's metadata; protocols; relays of 6to4
        *("::/96", "2001::/32", "2002::/16"),  # IPv4-compatible, Teredo, 6to4: old ways to reach IPv4
        *("64:ff9b:1::/48", "fec0::/10", "5f00::/16"),  # a local NAT64, site-local, segment routing
    )
)
"""Networks that Python takes for public, at least in part."""
RESOLVE_S = 3.0
CONNECT = "socket.connect"
WATCHED = frozenset({CONNECT, "socket.sendto", "socket.sendmsg"})


class Inside(OSError):  # like any unreachable address, so that its socket is closed
    """The address belongs to no public network."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is not an address of the public internet")
        self.address = address


class Watch:
    """The rejected addresses; libraries swallow the exception or wrap it. Connections end at `until` (monotonic)."""

    def __init__(self, allowed: Sequence[Network], until: float) -> None:
        self.allowed, self.until = allowed, until
        self.refused = ""
        self.connections = 0
        """How many were begun."""

    @property
    def is_over(self) -> bool:
        """Connections have ended, perhaps before the response was complete."""
        return time.monotonic() >= self.until


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)
"""The guard of this context, if there is one. A library that uses a thread must pass the context on, otherwise its
connections are rejected.
"""
_installed = threading.Lock()


@contextmanager
def outside_only(allowed: Sequence[Network], *, within_s: float) -> Iterator[Watch]:
    """Limit the sockets of this context to public and `allowed` addresses; others raise Inside.

    All connections end after `within_s`, also while a thread reads from one.
    """
    _install()
    watch = Watch(allowed, time.monotonic() + within_s)
    token = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(token)


def is_public(address: Address) -> bool:
    """Whether the address is neither private, link-local, loopback, multicast, reserved nor shared, nor mapped to
    such an address.
    """
    if isinstance(address, IPv6Address) and (inner := _inner(address)) is not None:
        return is_public(inner)
    if any(address in network for network in INSIDE_ALL_THE_SAME):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_allowed(address: Address, allowed: Sequence[Network]) -> bool:
    return is_public(address) or any(address in network for network in allowed)


def refused_address(host: str, allowed: Sequence[Network]) -> str:
    """The first address of `host` to which nothing may be sent; empty if there is none, or if the name is unknown.

    For an early error. Later addresses of a name are checked when a socket connects.
    """
    return next((str(one) for one in _addresses(host) if not is_allowed(one, allowed)), "")


def _addresses(host: str) -> list[Address]:
    """The addresses of a host in every notation that the system accepts: `127.1`, `0x7f000001` and `2130706433` are
    one.
    """
    found: list[Address] = []

    def look_up() -> None:
        with suppress(OSError, UnicodeError, ValueError):
            infos = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
            found.extend(ip_address(str(where[0])) for *_, where in infos)

    thread = threading.Thread(target=look_up, daemon=True)  # a hanging resolver takes longer than people wait
    thread.start()
    thread.join(RESOLVE_S)
    return list(found)


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to this address finally reach."""
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped


def _install() -> None:
    """An audit hook cannot be removed: a process that sends nothing has none."""
    if _installed.acquire(blocking=False):
        sys.addaudithook(_hook)


def _hook(
    event: str,
    arguments: tuple[Any, ...],
    watched: Collection[str] = WATCHED,
    current: Callable[[], Watch | None] = _watch.get,
) -> None:
    """Its dependencies are arguments: at exit modules are already empty, but hooks are still called."""
    if event in watched and (watch := current()) is not None:
        _check(arguments[1], watch)
        if event == CONNECT:
            watch.connections += 1
            deadlines().add(arguments[0], watch.until)


def _check(where: object, watch: Watch) -> None:
    """`where` is an address of a socket: (host, port, …), the path of a Unix socket, or None for a connected one."""
    if where is None:
        return
    host = str(where[0]) if isinstance(where, tuple) else str(where)
    try:
        address = ip_address(host)
    except ValueError:  # a Unix socket, or a name that the kernel would resolve unchecked
        watch.refused = host
        raise Inside(host) from None
    if not is_allowed(address, watch.allowed):
        watch.refused = host
        raise Inside(host)
