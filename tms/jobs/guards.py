"""Which terminals a run may send to now, and why the others wait. Pure.

Asked again at each send, because a site may have opened and a lane failed since the job began.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from tms.fleet.lifecycle import Lifecycle
from tms.jobs.models.job import JobHours

type Lane = tuple[int, str]
"""A site, and a kind of terminals at it."""


class Hold(StrEnum):
    """Why an item waits."""

    OFFLINE = "offline"
    HOURS = "hours"
    MAINTENANCE = "maintenance"
    LAST_LANE = "last_lane"
    BUSY = "busy"
    """It has just had another dangerous command, and may not be back."""
    MOBILE_LIMIT = "mobile_limit"


class Skip(StrEnum):
    """Why an item is not sent in this run at all."""

    RETIRED = "retired"
    UNSUPPORTED = "unsupported"
    NOT_PERMITTED = "not_permitted"


@dataclass(frozen=True, slots=True)
class SendCandidate:
    item: int
    terminal: int
    site: int
    kind: str
    lifecycle: Lifecycle
    is_online: bool
    in_maintenance: bool
    is_offered: bool
    is_permitted: bool
    hours: JobHours | None = None
    """Its own ones, instead of those of the job."""
    is_over_mobile_limit: bool = False

    @property
    def lane(self) -> Lane:
        return self.site, self.kind


@dataclass(frozen=True, slots=True)
class JobLimits:
    at_once: int
    per_site: int
    """0 for no limit."""
    in_flight: Mapping[int, int]
    """Items of each site that were sent and not answered."""

    @property
    def room(self) -> int:
        return max(self.at_once - sum(self.in_flight.values()), 0)

    def has_room_at(self, site: int, sent: int) -> bool:
        return not self.per_site or self.in_flight.get(site, 0) + sent < self.per_site


@dataclass(frozen=True, slots=True)
class Situation:
    open_sites: Collection[int]
    working: Mapping[Lane, Collection[int]]
    """Terminals in service that are online and have no critical alert, without those of `busy` and in maintenance."""
    busy: Collection[int]
    """Terminals with a dangerous command in flight, or just done."""


class SendDecision(NamedTuple):
    send: Sequence[SendCandidate]
    hold: Mapping[int, Hold]
    """Why each of these items waits."""
    skip: Mapping[int, Skip]


@dataclass(slots=True)
class Chooser:
    hours: JobHours
    is_dangerous: bool
    limits: JobLimits
    situation: Situation
    _working: dict[Lane, set[int]] = field(init=False)

    def choose(self, candidates: Sequence[SendCandidate]) -> SendDecision:
        """Candidates that are neither sent, held nor skipped have to wait for their turn."""
        self._working = {lane: set(terminals) for lane, terminals in self.situation.working.items()}
        send: list[SendCandidate] = []
        hold: dict[int, Hold] = {}
        skip: dict[int, Skip] = {}
        at_site: dict[int, int] = {}
        for one in candidates:
            if why_never := skipped(one):
                skip[one.item] = why_never
            elif why_not_now := self._held(one):
                hold[one.item] = why_not_now
            elif len(send) < self.limits.room and self.limits.has_room_at(one.site, at_site.get(one.site, 0)):
                send.append(one)
                at_site[one.site] = at_site.get(one.site, 0) + 1
                if self.is_dangerous:
                    # The next one at this site counts without it.
                    self._working.get(one.lane, set()).discard(one.terminal)
        return SendDecision(send, hold, skip)

    def _held(self, one: SendCandidate) -> Hold | None:
        if not one.is_online:
            return Hold.OFFLINE
        if one.is_over_mobile_limit:
            return Hold.MOBILE_LIMIT
        is_open, hours = one.site in self.situation.open_sites, one.hours or self.hours
        if (hours == JobHours.OPEN and not is_open) or (hours == JobHours.CLOSED and is_open):
            return Hold.HOURS
        if one.in_maintenance != (hours == JobHours.MAINTENANCE):
            # People work on it; or the job is for maintenance only.
            return Hold.MAINTENANCE
        if not self.is_dangerous:
            return None
        if one.terminal in self.situation.busy:
            return Hold.BUSY
        return Hold.LAST_LANE if is_open and self._working.get(one.lane) == {one.terminal} else None


def skipped(one: SendCandidate) -> Skip | None:
    if not one.lifecycle.treatment.takes_work:
        return Skip.RETIRED
    if not one.is_permitted:
        return Skip.NOT_PERMITTED
    return None if one.is_offered else Skip.UNSUPPORTED
