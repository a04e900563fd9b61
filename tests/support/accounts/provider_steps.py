"""The way of a browser to an identity provider."""

import re
from html import unescape

from django.test import Client


def leave(browser: Client, address: str = "/sign-in/provider/company/", **fields: str) -> str:
    """Where the page after the button leads."""
    page = browser.post(address, fields).content.decode()
    found = re.search(r'content="0;url=([^"]+)"', page)
    assert found, page
    return unescape(found[1])
