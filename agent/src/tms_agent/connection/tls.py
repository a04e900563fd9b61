"""The TLS contexts of links and uploads, made again when their files change."""

import functools
import logging
import ssl
from collections.abc import Hashable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tms_agent.connection.dates import check_by
from tms_agent.connection.link import Unreachable

log = logging.getLogger("tms_agent")


class TlsFiles(NamedTuple):
    """Files in PEM format. Without `ca` the authorities of the system are trusted."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class Tls:
    """A certificate may be renewed at any time: each new connection has the context of the files as they are."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._made: tuple[Hashable, ssl.SSLContext] | None = None

    def context(self, instants: Sequence[datetime] | None) -> ssl.SSLContext:
        """Raises LinkEnd if it cannot be made, and none was made before."""
        return self._usual_context() if instants is None else self._context_by(instants)

    def _context_by(self, instants: Sequence[datetime]) -> ssl.SSLContext:
        """A context of its own for each connection, because time goes on; clocks are rarely wrong."""
        try:
            context = make_context(self._files)
        except ValueError as error:
            raise Unreachable(str(error)) from None
        check_by(context, instants)
        return context

    def _usual_context(self) -> ssl.SSLContext:
        if self._files == TlsFiles():
            return system_context()
        state = tuple(_state_of(path) for path in self._files)
        if self._made is None or self._made[0] != state:
            self._made = state, self._make()
        return self._made[1]

    def _make(self) -> ssl.SSLContext:
        try:
            return make_context(self._files)
        except ValueError as error:
            if self._made is None:
                raise Unreachable(str(error)) from None
            # Renewed in two steps: the key does not belong to the certificate until both are written.
            log.warning("%s; the certificate from before stays in use", error)
            return self._made[1]


@functools.cache
def system_context() -> ssl.SSLContext:
    """Shared by all links: loading the system's authorities takes longer than a handshake."""
    return ssl.create_default_context()


def make_context(files: TlsFiles) -> ssl.SSLContext:
    """Raises ValueError, which names the file."""
    try:
        context = ssl.create_default_context(cafile=files.ca)
    except OSError as error:
        raise ValueError(f"tls.ca_file {files.ca}: {_reason(error)}") from None
    if files.certificate:
        try:
            # Without a password OpenSSL would ask for one at the terminal.
            context.load_cert_chain(files.certificate, files.key, password="")
        except OSError as error:
            both = " and ".join(map(str, filter(None, (files.certificate, files.key))))
            raise ValueError(f"the client certificate {both}: {_reason(error)}") from None
    return context


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        known = {"KEY_VALUES_MISMATCH": "the key does not belong to the certificate"}
        return known.get(error.reason, "expected a certificate, and a key without a password, in PEM format")
    return error.strerror or str(error)


def _state_of(path: Path | None) -> Hashable:
    """Changes whenever the file is written or replaced."""
    try:
        found = path.stat() if path else None
    except OSError:
        return "missing"
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None
