"""The browsers of a person as lists of them show them."""

from typing import NamedTuple, Self

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.base import SessionBase

from tms.accounts.models import User
from tms.accounts.sessions import browsers, user_agent
from tms.accounts.sessions.store import stored_key


class BrowserRow(NamedTuple):
    session: UserSession
    name: str
    is_mobile: bool
    is_this: bool

    @classmethod
    def of(cls, session: UserSession, *, key: str) -> Self:
        agent = session.user_agent
        return cls(session, user_agent.describe(agent), user_agent.is_mobile(agent), session.session_key == key)


def browser_rows(person: User, *, current: SessionBase) -> list[BrowserRow]:
    """The browsers of `person`, the one with the session `current` first."""
    key = stored_key(current.session_key)
    rows = [BrowserRow.of(session, key=key) for session in browsers.browsers_of(person)]
    return sorted(rows, key=lambda row: not row.is_this)
