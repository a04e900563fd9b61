"""Why time was lost, and the party that is responsible: derived from the cause of an outage (decision 0009). Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import models
from django.utils.translation import pgettext_lazy

from tms.availability.intervals import second_of
from tms.fleet.models import CAUSED_BY_TMS, Cause
from tms.fleet.models.outage import OutageCause

TOGETHER = timedelta(minutes=2)
"""Terminals of a site that lost power within this time lost it together. TMS notices a power cut by a time-out, which
differs from terminal to terminal.
"""


class Party(models.TextChoices):
    """Who is responsible for lost time."""

    CARRIER = "carrier", pgettext_lazy("party", "Carrier")
    SHOP = "shop", pgettext_lazy("party", "Shop")
    DEVICE = "device", pgettext_lazy("party", "Device")
    APPLICATION = "application", pgettext_lazy("party", "Application")
    TMS = "tms", pgettext_lazy("party", "TMS")
    UNKNOWN = "unknown", pgettext_lazy("party", "Unknown")


class LossReason(models.TextChoices):
    """Why time was lost."""

    NETWORK = "network", pgettext_lazy("loss", "Network lost")
    POWER = "power", pgettext_lazy("loss", "Power lost")
    SWITCHED_OFF = "switched_off", pgettext_lazy("loss", "Switched off")
    DEVICE = "device", pgettext_lazy("loss", "Unexpected restart")
    APPLICATION = "application", pgettext_lazy("loss", "Application stopped")
    RESTART = "restart", pgettext_lazy("loss", "Planned restart")
    SERVER = "server", pgettext_lazy("loss", "TMS unavailable")
    UNCLEAR = "unclear", pgettext_lazy("loss", "Cause unknown")

    @property
    def party(self) -> Party:
        return PARTIES[self]

    @property
    def column(self) -> str:
        """The name of the column of seconds, in tables and exports."""
        return f"{self.value}_s"


PARTIES: Mapping[LossReason, Party] = {
    LossReason.NETWORK: Party.CARRIER,
    LossReason.POWER: Party.SHOP,
    LossReason.SWITCHED_OFF: Party.SHOP,
    LossReason.DEVICE: Party.DEVICE,
    LossReason.APPLICATION: Party.APPLICATION,
    LossReason.RESTART: Party.APPLICATION,
    LossReason.SERVER: Party.TMS,
    LossReason.UNCLEAR: Party.UNKNOWN,
}
LOSS_COLUMNS = tuple(loss.column for loss in LossReason)
SWITCHED_OFF = frozenset({Cause.CLOSING, Cause.SHUTDOWN})
PLAIN = {
    OutageCause.NETWORK: LossReason.NETWORK,
    OutageCause.APPLICATION: LossReason.APPLICATION,
    OutageCause.SERVER: LossReason.SERVER,
}


class PastOutage(NamedTuple):
    """What is known of an outage; its cause is empty while it lasts."""

    id: int
    terminal_id: int
    began_at: datetime
    ended_at: datetime | None
    cause: str
    lost_by: str
    offline_at: datetime | None
    reports_sent: int | None

    @property
    def is_final(self) -> bool:
        """Whether its cause changes no more."""
        return self.reports_sent is not None


class Piece(NamedTuple):
    """A part of an outage, in seconds since the epoch, with one reason."""

    since: int
    until: int
    loss: LossReason


def pieces_of(outage: PastOutage, *, is_alone: bool, until: datetime) -> Iterator[Piece]:
    """The parts of an outage before `until`.

    What TMS began is counted to TMS until the terminal was offline, that is, until the grace for reconnecting had
    passed: nothing before that can be held against anyone else.
    """
    loss = loss_of(outage.cause, lost_by=outage.lost_by, is_alone=is_alone)
    since, end = second_of(outage.began_at), second_of(min(outage.ended_at or until, until))
    if outage.lost_by in CAUSED_BY_TMS and loss is not LossReason.SERVER:
        offline = min(second_of(outage.offline_at), end) if outage.offline_at else end
        yield Piece(since, offline, LossReason.SERVER)
        since = offline
    yield Piece(since, end, loss)


def loss_of(cause: str, *, lost_by: str, is_alone: bool) -> LossReason:
    """`is_alone`: no other terminal of the site lost its power with it, although there are others."""
    if cause == OutageCause.POWER:
        return LossReason.DEVICE if is_alone else LossReason.POWER
    if cause == OutageCause.PLANNED:
        return LossReason.SWITCHED_OFF if lost_by in SWITCHED_OFF else LossReason.RESTART
    return PLAIN.get(OutageCause(cause), LossReason.UNCLEAR) if cause else LossReason.UNCLEAR


def alone(outages: Iterable[PastOutage]) -> set[int]:
    """The outages of one site by power, by `id`, that no other terminal of the site shared."""
    powerless = sorted((each for each in outages if each.cause == OutageCause.POWER), key=lambda each: each.began_at)
    found = set[int]()
    for number, each in enumerate(powerless):
        if not _is_shared(powerless, number):
            found.add(each.id)
    return found


def _is_shared(powerless: list[PastOutage], number: int) -> bool:
    mine = powerless[number]
    for step in (-1, 1):
        at = number + step
        while 0 <= at < len(powerless) and abs(powerless[at].began_at - mine.began_at) <= TOGETHER:
            if powerless[at].terminal_id != mine.terminal_id:
                return True
            at += step
    return False
