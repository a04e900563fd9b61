"""How a terminal reaches TMS: its authorities, its own certificate, its proxy."""

import copy
import ssl
import urllib.request
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote, urlsplit

from tms_agent.connection.addresses import is_loopback
from tms_agent.connection.dates import Dates
from tms_agent.connection.link import Unreachable
from tms_agent.connection.tls import Tls, TlsFiles


class Network:
    """Shared by the link, uploads and everything else that connects to TMS."""

    def __init__(self, files: TlsFiles | None = None, proxy: str | None = None, *, dates: Dates | None = None) -> None:
        """`proxy`: its URL with user and password; empty for none, None for that of the environment."""
        self.proxy = proxy
        self.dates = dates or Dates()
        self._tls = Tls(files or TlsFiles())

    def dated_by(self, dates: Dates) -> "Network":
        """The same network for an agent, which knows TMS's time."""
        network = copy.copy(self)
        network.dates = dates
        return network

    def tls_context(self, instants: Sequence[datetime] | None) -> ssl.SSLContext:
        """`instants` are those of `dates`. Raises LinkEnd."""
        return self._tls.context(instants)

    def proxy_for(self, url: str) -> str | None:
        """The proxy on the way to this URL. Raises LinkEnd for one of another kind than HTTP."""
        proxy = proxy_of_environment(url) if self.proxy is None else self.proxy
        if not proxy:
            return None
        proxy = proxy if "://" in proxy else f"http://{proxy}"
        if urlsplit(proxy).scheme not in ("http", "https"):
            raise Unreachable(f"the proxy {without_secret(proxy)} is not an HTTP proxy; only those can be used")
        return proxy


def proxy_of_environment(url: str) -> str | None:
    """The proxy that the environment names for this URL; none for this machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    schemes = ("wss", "https") if parts.scheme == "wss" else ("ws", "http")
    return next((proxies[scheme] for scheme in schemes if scheme in proxies), None)


def with_user(proxy: str, user: str, password: str) -> str:
    parts = urlsplit(proxy)
    netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{parts.netloc.rpartition('@')[2]}"
    return parts._replace(netloc=netloc).geturl()


def without_secret(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
