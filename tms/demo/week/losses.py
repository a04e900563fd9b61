"""The outages of the demo's week. Pure: the same terminals and instant give the same week."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tms.fleet.models import Cause, Site, Terminal
from tms.fleet.models.outage import OutageCause

ZONE = ZoneInfo("Asia/Tokyo")
DAYS = 7
OFFLINE_AFTER = timedelta(seconds=30)
"""Time from the loss of a link until the terminal is offline."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Terminals that lost their links together. With a `site`, its whole line or power."""

    terminals: tuple[Terminal, ...]
    began_at: datetime
    ended_at: datetime
    cause: OutageCause
    lost_by: Cause = Cause.CONNECTION_LOST
    site: Site | None = None
    comment: str = ""
    """What the person on shift wrote with the acknowledgement."""


class SiteLoss(NamedTuple):
    """A site that was lost as a whole, `days` ago at a local time."""

    code: str
    days: int
    at: time
    minutes: float
    cause: OutageCause
    comment: str


SITE_LOSSES = (
    SiteLoss("UMD", 6, time(14, 20), 41, OutageCause.NETWORK, "Carrier confirms a fault in Kita-ku, ticket 48120"),
    SiteLoss("SPR", 5, time(18, 5), 12, OutageCause.POWER, "Breaker in the shop; staff switched it on again"),
    SiteLoss("HND", 4, time(2, 10), 87, OutageCause.NETWORK, "Router does not answer; technician on the way"),
    SiteLoss("NGY", 3, time(11, 45), 9, OutageCause.POWER, "Planned test of the generator, not announced to us"),
    SiteLoss("HND", 2, time(16, 30), 26, OutageCause.NETWORK, "Same line as on the night shift; carrier informed"),
    SiteLoss("HKT", 1, time(9, 15), 18, OutageCause.NETWORK, "Carrier maintenance, ticket 48377"),
)


class Habit(NamedTuple):
    """How terminals lose their link one by one: what share of them each day, and for how many minutes."""

    cause: OutageCause
    lost_by: Cause
    share: float
    minutes: tuple[float, float]


HABITS = (
    Habit(OutageCause.NETWORK, Cause.CONNECTION_LOST, 0.04, (1, 25)),
    Habit(OutageCause.POWER, Cause.LEASE_RAN_OUT, 0.02, (3, 40)),
    Habit(OutageCause.APPLICATION, Cause.CONNECTION_LOST, 0.015, (0.5, 6)),
    Habit(OutageCause.UNCLEAR, Cause.LEASE_RAN_OUT, 0.02, (1, 30)),
    Habit(OutageCause.PLANNED, Cause.REBOOT, 0.05, (0.5, 2)),
)
UPDATE_OF_TMS = (3, time(3, 0), 25.0)
"""A release of TMS itself: days ago, local time, seconds."""


def week_of_losses(terminals: Sequence[Terminal], *, at: datetime) -> list[Loss]:
    """Losses in the order of their begin; no terminal is lost twice at a time. All ended an hour before `at`."""
    rng = Random(len(terminals))
    planned = [*_of_sites(terminals, at), *_of_tms(terminals, at), *_one_by_one(terminals, at, rng)]
    return list(_without_overlaps(planned, before=at - timedelta(hours=1)))


def local(at: datetime, *, days: int, hour: time) -> datetime:
    """`days` before `at`, at this local time."""
    return datetime.combine(at.astimezone(ZONE).date() - timedelta(days=days), hour, ZONE)


def _of_sites(terminals: Sequence[Terminal], at: datetime) -> Iterator[Loss]:
    for one in SITE_LOSSES:
        members = tuple(terminal for terminal in terminals if terminal.site.code == one.code)
        if members:
            began = local(at, days=one.days, hour=one.at)
            ended = began + timedelta(minutes=one.minutes)
            yield Loss(members, began, ended, one.cause, site=members[0].site, comment=one.comment)


def _of_tms(terminals: Sequence[Terminal], at: datetime) -> Iterator[Loss]:
    days, hour, seconds = UPDATE_OF_TMS
    began = local(at, days=days, hour=hour)
    yield Loss(
        tuple(terminals), began, began + timedelta(seconds=seconds), OutageCause.SERVER, lost_by=Cause.NODE_STOPPED
    )


def _one_by_one(terminals: Sequence[Terminal], at: datetime, rng: Random) -> Iterator[Loss]:
    for day in range(DAYS):
        for terminal in terminals:
            for habit in HABITS:
                if rng.random() < habit.share:
                    began = at - timedelta(days=day, seconds=rng.uniform(0, 86_400))
                    ended = began + timedelta(minutes=rng.uniform(*habit.minutes))
                    yield Loss((terminal,), began, ended, habit.cause, lost_by=habit.lost_by)


def _without_overlaps(losses: Sequence[Loss], *, before: datetime) -> Iterator[Loss]:
    """Losses of sites and of TMS win over those of single terminals."""
    placed: dict[int, list[Loss]] = {}
    chosen: list[Loss] = []
    for loss in losses:
        others = (other for terminal in loss.terminals for other in placed.get(terminal.pk, ()))
        if loss.ended_at < before and not any(_overlap(loss, other) for other in others):
            chosen.append(loss)
            for terminal in loss.terminals:
                placed.setdefault(terminal.pk, []).append(loss)
    yield from sorted(chosen, key=lambda loss: loss.began_at)


def _overlap(one: Loss, other: Loss) -> bool:
    margin = timedelta(minutes=2)
    return one.began_at < other.ended_at + margin and other.began_at < one.ended_at + margin
