"""The boards app: live pages. It closes boards when their people may not see them any more."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_out

from tms.feed.change import Change
from tms.feed.publisher import publish


class BoardsConfig(AppConfig):
    name = "tms.boards"

    def ready(self) -> None:
        # Their models are loaded by now.
        from tms.accounts.access.changes import rights_changed
        from tms.accounts.screens.services import screens_changed
        from tms.accounts.sessions.browsers import sessions_ended
        from tms.approvals.approvers import register_shift
        from tms.boards.overview import on_shift

        register_shift(on_shift.people)
        user_logged_out.connect(close_boards)
        rights_changed.connect(check_boards)
        sessions_ended.connect(close_boards)
        screens_changed.connect(check_screens)


def close_boards(sender: object, *, user: Any, **_: object) -> None:
    """Close the boards of a person at sign-out, instead of at the next sign-in check."""
    if user is not None:
        publish(Change(people=frozenset({user.pk})))


def check_boards(sender: object, *, people: frozenset[int], **_: object) -> None:
    """Have the boards of these people checked at once."""
    publish(Change(people=people))


def check_screens(sender: object, *, screens: frozenset[int], **_: object) -> None:
    """Have these wall screens, and those that wait for their pairing, checked at once."""
    publish(Change(screens=screens))
