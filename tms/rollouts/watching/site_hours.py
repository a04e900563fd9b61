"""One site for one hour: who was comparable, who was hit, and which hits count."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from tms.alerts.maintenance import history as maintenance
from tms.rollouts.effects import strata
from tms.rollouts.effects.exclusions import NEVER_COUNTED, UNCLEAR, Facts, left_out
from tms.rollouts.effects.rates import HISTORY_DAYS, expected_rate
from tms.rollouts.effects.strata import StratumMember
from tms.rollouts.models import Rollout, RolloutItem, RolloutItemState
from tms.rollouts.watching import hits as sources
from tms.rollouts.watching.hits import MeasuredHit, Sides

HISTORY = timedelta(days=HISTORY_DAYS)
UPDATED = (RolloutItemState.SETTLING, RolloutItemState.DONE, RolloutItemState.NEW_VERSION)


def hour() -> timedelta:
    """How long terminals are compared at a time: an hour, which demos and tests shorten."""
    return timedelta(seconds=settings.ROLLOUT_HOUR_S)


def episode() -> timedelta:
    """How long a terminal that was hit is not hit again, in hours of that length."""
    return strata.EPISODE_HOURS * hour()


@dataclass(frozen=True, slots=True)
class WatchedItem:
    terminal: int
    model: str
    wave: int
    ordered_at: datetime | None
    counts_from: datetime | None
    """When its settle time is over; None unless it runs the wanted version."""
    missing_at: datetime | None
    """When it should have been back, and was not."""

    def member(self, since: datetime, until: datetime) -> StratumMember | None:
        days = (until - since) / timedelta(days=1)
        if self.counts_from is not None and self.counts_from <= since:
            return StratumMember(self.terminal, self.model, True, days)
        if self.ordered_at is None or self.ordered_at >= until:
            return StratumMember(self.terminal, self.model, False, days)
        return None


@dataclass(slots=True)
class SiteHour:
    """What happened at a site in an hour, by measure."""

    members: Sequence[StratumMember]
    hit: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    quiet: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)


def items_of(rollout: Rollout, sites: Iterable[int]) -> dict[int, list[WatchedItem]]:
    """The items of each site."""
    settle = timedelta(seconds=rollout.settle_s)
    found: defaultdict[int, list[WatchedItem]] = defaultdict(list)
    rows = RolloutItem.objects.filter(rollout=rollout, terminal__site__in=sites).order_by("terminal_id")
    columns = ("terminal__site_id", "terminal_id", "terminal__model", "wave__number")
    times = ("ordered_at", "updated_at", "state", "state_at")
    for site, terminal, model, wave, ordered_at, updated_at, state, state_at in rows.values_list(*columns, *times):
        counts_from = updated_at + settle if updated_at is not None and state in UPDATED else None
        missing_at = state_at if state == RolloutItemState.NOT_BACK else None
        found[site].append(WatchedItem(terminal, model, wave, ordered_at, counts_from, missing_at))
    return found


def past_hits(terminals: Sequence[int], before: datetime) -> dict[str, dict[int, int]]:
    """How often each terminal was hit in the days before, by measure; those without a hit are left out."""
    past = [hit for hit in sources.read(terminals, before - HISTORY, before) if hit.cause not in NEVER_COUNTED]
    counted: defaultdict[str, Counter[int]] = defaultdict(Counter)
    last: dict[tuple[str, int], datetime] = {}
    for hit in sorted(past, key=lambda one: one.at):
        key = (hit.measure, hit.terminal)
        if key not in last or hit.at - last[key] > episode():
            counted[hit.measure][hit.terminal] += 1
        last[key] = hit.at
    return {measure: dict(found) for measure, found in counted.items()}


def expected_rates(hits: Mapping[str, int], terminals: Sequence[int]) -> dict[int, float]:
    """Expected hits a day of each terminal of a site. `hits`: those of the days before, by its number as text."""
    own = {terminal: hits.get(str(terminal), 0) for terminal in terminals}
    mean = sum(own.values()) / HISTORY_DAYS / len(own)
    return {terminal: expected_rate(number, HISTORY_DAYS, mean) for terminal, number in own.items()}


def read(items: Sequence[WatchedItem], site: int, since: datetime) -> SiteHour | None:
    """None if nothing can be compared in this hour."""
    until = since + hour()
    members = [member for item in items if (member := item.member(since, until))]
    if not strata.exposures(members):
        return None
    happened = SiteHour(members)
    found = sources.read([member.terminal for member in members], since - episode(), until)
    if found:
        _sort(happened, _judge(members, found, site, until), since)
    return happened


def _sort(happened: SiteHour, judged: Iterable[tuple[MeasuredHit, str | None]], since: datetime) -> None:
    for hit, reason in judged:
        is_now = hit.at >= since
        if reason is None:
            (happened.hit if is_now else happened.quiet)[hit.measure].add(hit.terminal)
        elif is_now:
            happened.left_out[hit.measure, reason] += 1


def _judge(
    members: Sequence[StratumMember], found: Sequence[MeasuredHit], site: int, until: datetime
) -> Iterator[tuple[MeasuredHit, str | None]]:
    """Each hit with the reason why it does not count, if there is one."""
    first = min(hit.began_at for hit in found)
    periods = maintenance.covering({hit.terminal: site for hit in found}, since=first, until=until)
    of_outages = sources.incidents_of_outages(found)
    incidents = {hit.incident for hit in found if hit.incident} | set(of_outages.values())
    shared = sources.shared_incidents(incidents, _sides(members))
    unclear = _unclear_for_both(members, found, until)
    for hit in found:
        incident = hit.incident or of_outages.get((hit.terminal, hit.began_at))
        planned = periods.get(hit.terminal, ())
        yield (
            hit,
            left_out(
                Facts(
                    cause=hit.cause,
                    in_maintenance=any(one.since <= hit.at and hit.began_at < one.until for one in planned),
                    in_shared_incident=(incident, hit.terminal) in shared,
                    is_about_software=hit.is_about_software,
                    is_unclear_for_both=(until - hit.at) // hour() in unclear,
                )
            ),
        )


def _sides(members: Iterable[StratumMember]) -> list[Sides]:
    sides: defaultdict[str, Sides] = defaultdict(lambda: (set(), set()))
    for member in members:
        sides[member.model][not member.is_updated].add(member.terminal)
    return list(sides.values())


def _unclear_for_both(members: Iterable[StratumMember], found: Iterable[MeasuredHit], until: datetime) -> set[int]:
    """The hours before `until` in which updated and waiting terminals had an outage of unknown cause."""
    updated = {member.terminal for member in members if member.is_updated}
    sides: defaultdict[int, set[bool]] = defaultdict(set)
    for hit in found:
        if hit.cause == UNCLEAR:
            sides[(until - hit.at) // hour()].add(hit.terminal in updated)
    return {number for number, both in sides.items() if len(both) == 2}


def read_returns(items: Iterable[WatchedItem], since: datetime) -> tuple[int, list[int]]:
    """How many terminals settled in this hour, and which did not come back in time."""
    until, back, missing = since + hour(), 0, []
    for item in items:
        if item.missing_at is not None and since <= item.missing_at < until:
            missing.append(item.terminal)
        back += item.counts_from is not None and since <= item.counts_from < until
    return back, missing
