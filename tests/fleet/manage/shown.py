"""What a page shows once."""

import re

from django.http import HttpResponse

from tms.protocol import credential
from tms.protocol.credential import PlainCredential


def shown_text(answer: HttpResponse) -> str:
    """The key or token of the page."""
    found = re.search(r'id="secret" value="([^"]+)"', " ".join(answer.content.decode().split()))
    assert found is not None, answer.content.decode()
    return found[1]


def shown_key(answer: HttpResponse) -> PlainCredential:
    key = credential.parse(shown_text(answer))
    assert key is not None
    return key
