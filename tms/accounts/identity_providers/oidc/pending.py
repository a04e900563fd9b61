"""Sign-ins that were sent to a provider and have not returned. Only the session of the browser knows them."""

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from tms.accounts.models import IdentityProvider, SpentToken

CLAIM = "sign_ins_at_providers"
LASTS_S = 600
MAX_PENDING = 4
"""The number of sign-ins in one browser, in several tabs; beyond it the oldest one is dropped."""


class Purpose(StrEnum):
    SIGN_IN = "sign-in"
    CONFIRM = "confirm"
    """A person who is signed in confirms that it is them."""
    LINK = "link"
    """A person who is signed in links their account to the one at the provider."""
    TEST = "test"
    """Shows what the provider sends, and signs nobody in."""


@dataclass(frozen=True, slots=True)
class Pending:
    provider: int
    purpose: str
    next_page: str
    nonce: str
    verifier: str
    at: float

    @property
    def challenge(self) -> str:
        """The challenge of PKCE, method S256 (RFC 7636, 4.2)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def begin(request: HttpRequest, provider: IdentityProvider, *, purpose: Purpose, next_page: str) -> tuple[str, Pending]:
    """Remember a sign-in that is about to leave. Returns its `state`.

    The session of a visitor is kept no longer than that: everyone can begin sign-ins, and each session is a row.
    """
    state, secret = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    pending = Pending(provider.pk, purpose, next_page, secrets.token_urlsafe(32), secret, time.time())
    others: dict[str, Any] = request.session.get(CLAIM, {})
    newest = sorted(others.items(), key=lambda item: item[1]["at"])[1 - MAX_PENDING :]
    request.session[CLAIM] = {**dict(newest), state: asdict(pending)}
    if not request.user.is_authenticated:
        request.session.set_expiry(LASTS_S)
    return state, pending


def take(request: HttpRequest, provider: IdentityProvider, state: str) -> Pending | None:
    """The sign-in with this `state`, once; None if this browser did not begin it, or too long ago.

    The database decides which of two requests at once has it: the session is stored only after each of them.
    """
    others: dict[str, Any] = dict(request.session.get(CLAIM, {}))
    found = others.pop(state, None)
    if found is None:
        return None
    request.session[CLAIM] = others
    pending = Pending(**found)
    is_valid = pending.provider == provider.pk and time.time() - pending.at <= LASTS_S
    until = timezone.now() + timedelta(seconds=LASTS_S)
    return pending if is_valid and SpentToken.objects.spend(state, until=until) else None
