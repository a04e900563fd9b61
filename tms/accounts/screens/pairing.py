"""Pairing: a television shows a code, and a person who may manage screens enters it.

The television's secret is made with its code. It opens nothing until the code is entered; then it is the first secret
of the screen. So nothing that the television must receive can be lost after that.
"""

import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils.crypto import salted_hmac

from tms.accounts.models import ScreenPairing, User
from tms.accounts.screens import codes
from tms.accounts.sign_in import counters
from tms.accounts.sign_in.counters import Limit
from tms.accounts.sign_in.throttle import network
from tms.lib.hashing import hash_token
from tms.metrics.instruments import WALL_PAIRINGS

LASTS = timedelta(minutes=10)
WINDOW_S = LASTS.total_seconds()
CODES_OF_NETWORK = 30
"""Codes for one address (IPv6: one /64) in ten minutes: as many televisions."""
MAX_WAITING = 500
"""Televisions that may wait at once."""
WRONG_CODES = 10
"""Wrong codes of a person in ten minutes. With the most codes waiting, a guess finds one in 10⁸ tries."""
SALT = "tms.accounts.screens"


class TooManyError(Exception):
    """The limit of an address, of all televisions, or of a person's wrong codes."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"try again in {wait_s:.0f} s")
        self.wait_s = wait_s


class Started(NamedTuple):
    pairing: ScreenPairing
    secret: str


def start(secret: str, *, address: str | None, browser: str, at: datetime) -> Started:
    """A new code for a television, in place of the one that belongs to `secret`. Raises TooManyError."""
    ScreenPairing.objects.filter(expires_at__lte=at).delete()
    _count(Limit("network", _key("codes", network(address or "")), CODES_OF_NETWORK, WINDOW_S))
    if ScreenPairing.objects.count() >= MAX_WAITING:
        WALL_PAIRINGS.labels("limited").inc()
        raise TooManyError(WINDOW_S)
    new = secrets.token_urlsafe(32)
    with transaction.atomic():
        ScreenPairing.objects.filter(digest=hash_token(secret)).delete()
        pairing = ScreenPairing.objects.create(
            code=codes.new_code(), digest=hash_token(new), address=address, browser=browser[:200], expires_at=at + LASTS
        )
    WALL_PAIRINGS.labels("shown").inc()
    return Started(pairing, new)


def of_television(secret: str, *, at: datetime) -> ScreenPairing | None:
    """The code that a television shows."""
    return ScreenPairing.objects.filter(digest=hash_token(secret), expires_at__gt=at).first()


def find(text: str, *, by: User, at: datetime) -> ScreenPairing | None:
    """The television that shows this code; None if there is none. Raises TooManyError after too many wrong codes."""
    limit = Limit("person", _key("guesses", str(by.pk)), WRONG_CODES, WINDOW_S)
    attempt = _count(limit)
    code = codes.parse(text)
    found = ScreenPairing.objects.filter(code=code, expires_at__gt=at).first() if code else None
    if found is None:
        WALL_PAIRINGS.labels("wrong").inc()
        return None
    counters.apply(lambda each: each.abandon([limit], attempt))
    return found


def _count(limit: Limit) -> str:
    """Returns the attempt, which was counted."""
    attempt = secrets.token_hex(8)
    block = counters.apply(lambda each: each.begin([limit], attempt))
    if block is not None:
        WALL_PAIRINGS.labels("limited").inc()
        raise TooManyError(block.wait_s)
    return attempt


def _key(kind: str, name: str) -> str:
    return f"wall-{kind}-{salted_hmac(SALT, name, algorithm='sha256').hexdigest()[:32]}"
