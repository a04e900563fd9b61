"""Wall screens for tests."""

from typing import Any

from django.conf import settings
from django.test import Client

from tests.support.factories import now
from tms.accounts.models import User, WallScreen
from tms.accounts.screens import pairing, services

LOOK: dict[str, Any] = {"boards": ["overview"], "every_s": 15, "language": "en", "sounds": ["critical"]}


def paired(name: str, *, by: User, **columns: Any) -> tuple[WallScreen, str]:
    """A screen, and its first secret. `columns`: the scope, and how it looks."""
    started = pairing.start("", address="10.0.0.7", browser="Chrome/140 (Linux)", at=now())
    screen = services.pair(started.pairing, WallScreen(name=name, **LOOK | columns), by=by, at=now())
    return screen, started.secret


def television(secret: str = "") -> Client:
    """A browser without a session."""
    client = Client()
    if secret:
        client.cookies[settings.WALL_COOKIE_NAME] = secret
    return client


def secret_of(client: Client) -> str:
    return client.cookies[settings.WALL_COOKIE_NAME].value
