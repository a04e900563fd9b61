"""Pages from which a board's socket may be opened."""

import pytest

from consumers.origin import SameOrigin, is_same

CASES = [
    ("https://tms.example.com", "tms.example.com", True),
    ("https://TMS.example.com", "TMS.Example.com", True),
    ("https://tms.example.com:8443", "tms.example.com:8443", True),
    ("http://[::1]:8000", "[::1]:8000", True),
    ("https://noc.example.com", "tms.example.com", True),  # trusted
    ("https://tms.example.com:8443", "tms.example.com", False),
    ("https://evil.example.net", "tms.example.com", False),
    ("https://evil.example.net", "evil.example.net", False),
    ("null", "tms.example.com", False),
    ("", "tms.example.com", False),
    ("https://tms.example.com", "", False),
    ("http://[", "tms.example.com", False),
    ("https://[::1", "[::1]", False),
    ("https://tms.example.com\u2100", "tms.example.com", False),
]


@pytest.mark.parametrize(("origin", "host", "is_admitted"), CASES)
def test_only_pages_of_the_same_host_open_a_socket(settings, origin, host, is_admitted):
    settings.ALLOWED_HOSTS = ["tms.example.com", "[::1]"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://noc.example.com"]

    assert is_same(origin, host, is_secure=False) is is_admitted


@pytest.mark.parametrize(
    ("https_only", "forwarded", "scheme", "is_admitted"),
    [
        (True, "https", "https", True),
        (True, "https", "http", False),
        (True, "", "http", False),
        (False, "https", "http", False),
        (False, "https", "https", True),
        (False, "", "http", True),
        (False, "", "https", True),  # behind a proxy that is not named
    ],
)
async def test_the_page_has_the_scheme_of_the_socket(settings, https_only, forwarded, scheme, is_admitted):
    settings.ALLOWED_HOSTS, settings.TRUSTED_PROXIES = ["tms.example.com"], ["10.0.0.1"]
    settings.HTTPS_ONLY = https_only
    headers = [(b"host", b"tms.example.com"), (b"origin", f"{scheme}://tms.example.com".encode())]
    scope = {"client": ("10.0.0.1", 1), "headers": [*headers, (b"x-forwarded-proto", forwarded.encode())]}
    sent: list[object] = []

    async def admitted(*_: object) -> None:
        sent.append("admitted")

    async def nothing() -> None: ...

    async def send(message: object) -> None:
        sent.append(message)

    await SameOrigin(admitted)(scope, nothing, send)

    assert sent == ["admitted" if is_admitted else {"type": "websocket.close"}]
