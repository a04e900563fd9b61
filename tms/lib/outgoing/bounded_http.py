"""HTTP requests to addresses that people entered: permitted addresses only, no redirects, limits of time and size."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode, urlsplit

from django.utils.translation import gettext

from tms.lib.outgoing import ssrf_guard
from tms.lib.outgoing.ssrf_guard import Network

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

CONNECT_S, READ_S, ALTOGETHER_S = 3.0, 5.0, 10.0
MAX_BYTES = 512 * 1024
CHUNK = 16 * 1024
URL = re.compile(r"[a-z]+://[!#-&(-;=?-Z_a-z~\[\]]{1,2000}")
"""ASCII without spaces, quotes, angle brackets, backslashes and the like."""


class FetchError(Exception):
    """There is no usable response. The text is for people."""


class NoResponseError(FetchError):
    """The server did not answer in time, or at all."""


class Fetched(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str]


def fetch(
    url: str,
    *,
    permitted: Sequence[Network],
    may_be_plain: bool,
    headers: Mapping[str, str] | None = None,
    fields: Mapping[str, str] | None = None,
    body: bytes | None = None,
    within_s: float | None = None,
) -> Fetched:
    """GET, or POST of the form `fields` or of `body`. `permitted`: networks beside the public internet.

    Raises FetchError.
    """
    from urllib3.exceptions import HTTPError, LocationValueError

    require_web(url, may_be_plain=may_be_plain)
    within_s = within_s or ALTOGETHER_S
    sent = dict(headers or {})
    if fields is not None:
        sent["Content-Type"], body = "application/x-www-form-urlencoded", urlencode(fields).encode()
    with ssrf_guard.outside_only(permitted, within_s=within_s) as watch:
        try:
            found = _fetch(url, sent, body)
        except (HTTPError, LocationValueError, UnicodeError) as error:
            if watch.refused:
                text = gettext("Blocked: private address %(address)s. An operator can allow it with %(setting)s.")
                values = {"address": watch.refused, "setting": "TMS_INSIDE_DESTINATIONS"}
                raise FetchError(text % values) from None
            raise NoResponseError(_too_slow(within_s) if watch.is_over else _reason(error)) from None
        # A response without a length ends where its connection was cut: it may look complete, and not be.
        if watch.is_over:
            raise NoResponseError(_too_slow(within_s))
        return found


def require_web(url: str, *, may_be_plain: bool) -> None:
    """Raises FetchError unless `url` is an HTTPS address; `may_be_plain`: or one of HTTP."""
    shown = {"url": url[:200]}
    if not URL.fullmatch(url) or not _has_host(url):
        raise FetchError(gettext("Not a valid URL: %(url)s") % shown)
    if not url.startswith("https://") and not (may_be_plain and url.startswith("http://")):
        raise FetchError(gettext("The URL must begin with https: %(url)s") % shown)


def _has_host(url: str) -> bool:
    """A host, and no name or password before it."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False


def _fetch(url: str, headers: Mapping[str, str], body: bytes | None) -> Fetched:
    from urllib3 import PoolManager, Timeout

    pool = PoolManager(1, retries=False, timeout=Timeout(connect=CONNECT_S, read=READ_S))
    sent = {"User-Agent": "TMS", "Accept": "application/json", "Accept-Encoding": "identity", **headers}
    method = "GET" if body is None else "POST"
    response = pool.request(method, url, body=body, headers=sent, redirect=False, preload_content=False)
    try:
        return Fetched(response.status, _read(response), response.headers)
    finally:
        response.close()
        pool.clear()


def _read(response: BaseHTTPResponse) -> bytes:
    found = bytearray()
    while chunk := response.read1(CHUNK, decode_content=False):
        found += chunk
        if len(found) > MAX_BYTES:
            raise FetchError(gettext("The response is larger than %(bytes)s bytes.") % {"bytes": MAX_BYTES})
    return bytes(found)


def _too_slow(within_s: float) -> str:
    return gettext("The response took longer than %(seconds)s s.") % {"seconds": round(within_s)}


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return gettext("No response in time.") if "Timeout" in type(error).__name__ else type(error).__name__
