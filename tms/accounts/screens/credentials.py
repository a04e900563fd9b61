"""The secret of a wall screen: finding the screen, and replacing the secret in use.

A new secret is sent with a page, and is only a candidate until the television uses it: a television that crashes
before it stored the cookie still has the old one, which stays valid. When the new one is used, the old one is valid
for ten more minutes, for requests that are under way.
"""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse

from tms.accounts.models import WallScreen
from tms.accounts.screens.pairing import LASTS
from tms.lib.hashing import hash_token

ROTATE_AFTER = timedelta(hours=12)
AGAIN_AFTER = timedelta(minutes=1)
"""A candidate that was not used for so long did not arrive: the next page brings another one."""
COOKIE_S = 400 * 24 * 3600
"""The longest that browsers keep a cookie. Each new secret begins it again."""
EXACT_TO = timedelta(minutes=1)
MAX_CHARACTERS = 100


class AdmittedScreen(NamedTuple):
    screen: WallScreen
    new_secret: str
    """The new secret for the cookie of the response; empty if the secret stays."""


@transaction.atomic
def admit(
    secret: str, *, at: datetime, address: str | None, browser: str, may_replace: bool = False
) -> AdmittedScreen | None:
    """The screen that has this secret. `may_replace`: the response can set a cookie."""
    digest = hash_token(secret[:MAX_CHARACTERS])
    found = WallScreen.objects.with_secret(digest, at=at)
    screen = found.select_for_update(of=("self",)).select_related("site", "group").first() if secret else None
    if screen is None:
        return None
    if digest == screen.successor:
        _promote(screen, at)
    new_secret = _replace(screen, at) if may_replace and digest == screen.digest and _is_due(screen, at) else ""
    _note_use(screen, at, address=address, browser=browser)
    screen.save(update_fields=["digest", "successor", "predecessor", "issued_at", "rotated_at", *SEEN])
    return AdmittedScreen(screen, new_secret)


SEEN = ("address", "browser", "seen_at")


def _promote(screen: WallScreen, at: datetime) -> None:
    screen.predecessor, screen.digest, screen.successor = screen.digest, screen.successor, ""
    screen.rotated_at = at


def _is_due(screen: WallScreen, at: datetime) -> bool:
    is_old = screen.rotated_at is None or screen.rotated_at <= at - ROTATE_AFTER
    return is_old and (not screen.successor or screen.issued_at is None or screen.issued_at <= at - AGAIN_AFTER)


def _replace(screen: WallScreen, at: datetime) -> str:
    new = secrets.token_urlsafe(32)
    screen.successor, screen.issued_at = hash_token(new), at
    return new


def _note_use(screen: WallScreen, at: datetime, *, address: str | None, browser: str) -> None:
    screen.address, screen.browser = address, browser[:200]
    if screen.seen_at is None or screen.seen_at < at - EXACT_TO:
        screen.seen_at = at


def touch(screens: Collection[int], *, at: datetime) -> None:
    """The screens are on: their boards are open."""
    WallScreen.objects.filter(pk__in=screens).update(seen_at=at)


def secret_in(cookies: Mapping[str, str]) -> str:
    return cookies.get(settings.WALL_COOKIE_NAME, "")


def store(response: HttpResponse, secret: str, *, is_paired: bool = True) -> None:
    """Set the cookie: of a television that waits, as long as its code lasts."""
    response.set_cookie(
        settings.WALL_COOKIE_NAME,
        secret,
        COOKIE_S if is_paired else int(LASTS.total_seconds()) + 3600,
        secure=settings.HTTPS_ONLY,
        httponly=True,
        samesite="Lax",
    )
