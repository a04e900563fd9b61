"""Plain values that the list of wall screens is rendered from."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tms.accounts import access
from tms.accounts.models import User, WallBoard, WallScreen
from tms.accounts.screens.services import PERMISSION
from tms.accounts.sessions import user_agent

ON_FOR = timedelta(minutes=2, seconds=30)
"""Its open board is noted once a minute."""


class ScreenRow(NamedTuple):
    screen: WallScreen
    boards: str
    browser: str
    is_on: bool
    """Whether its board is open."""


def managed(by: User) -> Any:
    """The screens that a person may change: those whose scope theirs covers."""
    rows = WallScreen.objects.select_related("site", "group").order_by("name", "pk")
    return access.permitted(rows, by=by, permission=PERMISSION)


def screen_rows(screens: Collection[WallScreen], *, at: datetime) -> list[ScreenRow]:
    return [_row(screen, at) for screen in screens]


def _row(screen: WallScreen, at: datetime) -> ScreenRow:
    labels = dict(WallBoard.choices)
    boards = ", ".join(str(labels[name]) for name in screen.boards if name in labels)
    is_on = screen.seen_at is not None and screen.seen_at > at - ON_FOR
    return ScreenRow(screen, boards, user_agent.describe(screen.browser), is_on)
