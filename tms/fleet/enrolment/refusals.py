"""Why devices could not enrol or connect for the first time: the last refusals of each token and each new terminal.

Only attempts that name a token or a terminal that TMS knows are kept, in the cache and for an hour: strangers can fill
nothing with them.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import NamedTuple

from django.core.cache import cache
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.fleet.models import EnrolmentToken, Presence, Terminal

MOST = 3
KEPT_S = 3_600


class Reason(models.TextChoices):
    WITHDRAWN = "withdrawn", _("the token was withdrawn")
    EXPIRED = "expired", _("the token has expired")
    USED_UP = "used_up", _("the token is used up")
    SERIAL = "serial", _("the token is not for this serial number")
    SITE = "site", _("the site is closed, or the token is not for it")
    RETIRED = "retired", _("the terminal is retired")
    PLACED = "placed", _("the device serves as another terminal; swap or replace it first")
    KEY = "key", _("its key is wrong, revoked or expired; it needs a new token")


class Refusal(NamedTuple):
    at: datetime
    reason: Reason
    address: str
    serial: str


def note_enrolment(token: EnrolmentToken, reason: Reason, *, address: str, serial: str, at: datetime) -> None:
    _note(_key(token), Refusal(at, reason, address, serial))


def note_link(uid: str, *, address: str, at: datetime) -> None:
    """A link was refused to a device that names this terminal. Only of one that was never connected it is kept."""
    terminal = Terminal.objects.filter(uid=uid, state__presence=Presence.NEVER).first()
    if terminal is not None:
        _note(_of_terminal(terminal.pk), Refusal(at, Reason.KEY, address, ""))


def of_terminal(terminal: Terminal) -> list[Refusal]:
    """Newest first."""
    return _read(cache.get(_of_terminal(terminal.pk)))


def of_tokens(tokens: Collection[EnrolmentToken]) -> dict[int, list[Refusal]]:
    """Of each token for many, newest first."""
    keys = {token.pk: _key(token) for token in tokens}
    found = cache.get_many(keys.values())
    return {pk: _read(found.get(key)) for pk, key in keys.items()}


def _note(key: str, refusal: Refusal) -> None:
    """Two at once may lose one: this is a hint."""
    stored = (refusal.at.timestamp(), refusal.reason.value, refusal.address, refusal.serial)
    cache.set(key, [stored, *(cache.get(key) or ())][:MOST], KEPT_S)


def _read(stored: list[tuple[float, str, str, str]] | None) -> list[Refusal]:
    return [
        Refusal(datetime.fromtimestamp(at, UTC), Reason(reason), address, serial)
        for at, reason, address, serial in stored or ()
        if reason in Reason.values  # another release may know more
    ]


def _key(token: EnrolmentToken) -> str:
    is_of_terminal = token.uses == 1 and token.terminal_id is not None
    return _of_terminal(token.terminal_id) if is_of_terminal else f"enrol-refused-token-{token.pk}"


def _of_terminal(pk: int | None) -> str:
    return f"enrol-refused-terminal-{pk}"
