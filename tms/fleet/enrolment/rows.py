"""The tokens that pages list."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Q
from django.utils.translation import gettext

from tms.accounts.access import permitted, visible
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.enrolment.refusals import Refusal, of_tokens
from tms.fleet.models import EnrolmentToken, Terminal

MAX_TOKENS = 50
MAX_RECENT = 5
ENTIRE = 100
"""The width of a bar that is full."""


class TokenRow(NamedTuple):
    token: EnrolmentToken
    place: str
    used: int
    ended: str
    """Why it is not valid any more; empty while it is."""
    refusals: list[Refusal]
    """Devices that were refused lately, newest first."""

    @property
    def percent(self) -> int:
        return round(ENTIRE * self.used / self.token.uses)


def token_rows(by: User, *, at: datetime) -> list[TokenRow]:
    """The tokens that `by` may withdraw, newest first; without those of one planned terminal."""
    of_many = Q(uses__gt=1) | ~Q(name="") | Q(terminal=None)
    rows = permitted(EnrolmentToken.objects.filter(of_many), by=by, permission=Permission.ENROL_TERMINALS)
    found = list(rows.select_related("site").order_by("-pk")[:MAX_TOKENS])
    refused = of_tokens(found)
    return [_row(token, refused[token.pk], at) for token in found]


def _row(token: EnrolmentToken, refused: list[Refusal], at: datetime) -> TokenRow:
    # The previous release counts only that a token was used, which is for one terminal.
    used = int(token.used_at is not None) if token.uses == 1 else token.uses - token.uses_left
    place = str(token.site or token.region)
    return TokenRow(token, place, used, _ended(token, used, at), refused)


def _ended(token: EnrolmentToken, used: int, at: datetime) -> str:
    if token.withdrawn_at:
        return gettext("withdrawn")
    if used >= token.uses:
        return gettext("used up")
    return gettext("expired") if token.expires_at <= at else ""


def recent(by: User) -> list[Terminal]:
    """The newest terminals."""
    rows = visible(Terminal.objects.select_related("site", "state"), to=by)
    return list(rows.order_by("-created_at", "-pk")[:MAX_RECENT])
