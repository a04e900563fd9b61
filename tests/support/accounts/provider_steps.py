"""The way of a browser to an identity provider."""

import re
from html import unescape

from django.http import HttpResponse
from django.test import Client


def leave(browser: Client, address: str = "/sign-in/provider/company/", **fields: str) -> str:
    """Where the page after the button leads."""
    return led_to(browser.post(address, fields))


def led_to(answer: HttpResponse) -> str:
    """Where a page leads that sends the browser to a provider."""
    page = answer.content.decode()
    found = re.search(r'content="0;url=([^"]+)"', page)
    assert found, page
    return unescape(found[1])
