"""From which pages a board's socket may be opened (R1)."""

import pytest

from consumers.origin import is_same

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

    assert is_same(origin, host) is is_admitted
