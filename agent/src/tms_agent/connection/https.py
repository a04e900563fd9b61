"""HTTPS connections to the host of the link."""

import base64
import http.client
from urllib.parse import unquote, urlsplit

from tms_agent.connection.network import Network

TIMEOUT_S = 30.0
"""The limit of each step on the network."""


def connection_to(url: str, network: Network, timeout_s: float = TIMEOUT_S) -> http.client.HTTPConnection:
    """A connection to the host of the link. It is opened with the first request. Raises LinkEnd."""
    parts = urlsplit(url)
    is_secure = parts.scheme == "wss"
    host, port = parts.hostname or "", parts.port or (443 if is_secure else 80)
    proxy = network.proxy_for(url)
    via = urlsplit(proxy) if proxy else None
    address = (via.hostname or "", via.port or 80) if via else (host, port)
    connection = (
        http.client.HTTPSConnection(*address, timeout=timeout_s, context=network.tls_context(network.dates.instants()))
        if is_secure
        else http.client.HTTPConnection(*address, timeout=timeout_s)
    )
    if via:
        connection.set_tunnel(host, port, _proxy_headers(via.username, via.password))
    return connection


def _proxy_headers(name: "str | None", password: "str | None") -> dict[str, str]:
    if name is None:
        return {}
    text = f"{unquote(name)}:{unquote(password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(text.encode()).decode()}
