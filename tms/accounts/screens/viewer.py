"""A wall screen as a reader of boards: the scope of the screen, and no permission."""

from collections.abc import Collection, Mapping

from django.contrib.auth.models import AnonymousUser

from tms.accounts.access import Rights
from tms.accounts.models import WallScreen


class ScreenViewer(AnonymousUser):
    """Not signed in, so that every page, operation and socket but its own refuses it.

    Only the wall and its socket make one, from the cookie of a screen.
    """

    def __init__(self, screen: WallScreen) -> None:
        self.screen = screen
        self._rights = Rights({}, screen.scope)
        """Where `tms.accounts.access` keeps what it read of a person."""


def key_of(screen: WallScreen) -> str:
    """A key that stays the same as long as the open page is the right one: the scope, and how the wall looks."""
    looks = (screen.name, screen.boards, screen.every_s, screen.language, screen.theme, screen.time_zone, screen.sounds)
    return f"{Rights({}, screen.scope).key} {looks}"


def keys_of(screens: Collection[int]) -> Mapping[int, str]:
    """The keys of the screens that were not revoked, by primary key."""
    return {screen.pk: key_of(screen) for screen in WallScreen.objects.filter(pk__in=screens)} if screens else {}
