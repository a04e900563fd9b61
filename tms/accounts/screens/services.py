"""Pair, change and revoke wall screens. Each is recorded, and reaches the open screen at once."""

from datetime import datetime

from django.db import transaction
from django.dispatch import Signal

from tms.accounts.audit import recorder
from tms.accounts.models import ScreenPairing, User, WallScreen
from tms.accounts.permissions import Permission
from tms.metrics.instruments import WALL_PAIRINGS

PERMISSION = Permission.MANAGE_SCREENS
CHOSEN = ("name", "region", "site", "group", "boards", "every_s", "language", "theme", "time_zone", "sounds")
"""The columns that people edit. The television writes to the others meanwhile."""

screens_changed = Signal()
"""Sent in the transaction of the change, with `screens`: their primary keys."""


class NotWaitingError(Exception):
    """The code expired, or another person used it first."""


@transaction.atomic
def pair(pairing: ScreenPairing, screen: WallScreen, *, by: User, at: datetime) -> WallScreen:
    """Make the waiting television the `screen`, which is not stored yet. Raises NotWaitingError."""
    deleted, _rows = ScreenPairing.objects.filter(pk=pairing.pk, expires_at__gt=at).delete()
    if not deleted:
        raise NotWaitingError
    screen.digest, screen.created_by = pairing.digest, by
    screen.address, screen.browser = pairing.address, pairing.browser
    with recorder.change(screen, "paired"):
        screen.save()
    WALL_PAIRINGS.labels("paired").inc()
    _publish(screen.pk)
    return screen


@transaction.atomic
def change(screen: WallScreen) -> None:
    """Store what was changed: the open screen loads its page again. Raises NotUpdated if it was revoked meanwhile."""
    with recorder.change(screen):
        screen.save(update_fields=CHOSEN)
    _publish(screen.pk)


@transaction.atomic
def revoke(screen: WallScreen) -> None:
    """The screen closes at once, and shows a pairing code."""
    pk = screen.pk
    recorder.record("revoked", screen)
    screen.delete()
    _publish(pk)


def _publish(pk: int) -> None:
    screens_changed.send(sender=WallScreen, screens=frozenset({pk}))
