"""Which addresses a notification may be sent to (R21): public ones, and those that operators allow.

The check stands where a socket connects, in an audit hook of Python. So it looks at the very address that is connected
to: after the name was resolved, on every redirect, whatever library does it. A name that resolves to another address a
moment later gains nothing.
"""

import sys
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network

TRANSLATED = ip_network("64:ff9b::/96")
"""IPv4 behind a NAT64: its last four bytes are the address (RFC 6052)."""
PUBLIC_IN_FORM_ONLY = frozenset({ip_address("168.63.129.16")})
"""The metadata service of Azure."""
WATCHED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


class Inside(OSError):  # as any address that cannot be reached, so that its socket is closed
    """The address belongs to no public network."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is not an address of the public internet")
        self.address = address


class Watch:
    """What was refused while it lasted; libraries swallow the exception, or dress it up."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self.allowed = allowed
        self.refused = ""


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)
"""None: nothing is guarded. A library that hands its work to a thread takes the context along, or is not let in."""
_installed = threading.Lock()


@contextmanager
def outside_only(allowed: Sequence[Network]) -> Iterator[Watch]:
    """In this context, sockets connect to public addresses and to the `allowed` ones only; others raise Inside."""
    _install()
    watch = Watch(allowed)
    token = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(token)


def is_public(address: Address) -> bool:
    """Not private, link-local, loopback, multicast, reserved or shared, nor a way around to such an address."""
    if isinstance(address, IPv6Address) and (inner := _inner(address)) is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast and address not in PUBLIC_IN_FORM_ONLY


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which what is sent there goes in the end."""
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _install() -> None:
    """A hook cannot be taken away again: a process that sends nothing has none."""
    if _installed.acquire(blocking=False):
        sys.addaudithook(_hook)


def _hook(
    event: str,
    arguments: tuple[Any, ...],
    watched: Collection[str] = WATCHED,
    current: Callable[[], Watch | None] = _watch.get,
) -> None:
    """What it needs comes with it: while a process ends its modules are empty already, and hooks are still called."""
    if event in watched and (watch := current()) is not None:
        _check(arguments[1], watch)


def _check(where: Any, watch: Watch) -> None:
    """`where` is as sockets have it: (host, port, …), the path of a Unix socket, or None for one that is connected."""
    if where is None:
        return
    host = str(where[0]) if isinstance(where, tuple) else str(where)
    try:
        address = ip_address(host)
    except ValueError:  # a Unix socket, or a name that the kernel would resolve unseen
        watch.refused = host
        raise Inside(host) from None
    if not any(address in network for network in watch.allowed) and not is_public(address):
        watch.refused = host
        raise Inside(host)
