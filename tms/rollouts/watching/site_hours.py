"""Sites for one hour: who was comparable, who was hit, and which hits count."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q

from tms.alerts.maintenance import history as maintenance
from tms.fleet.models import Terminal
from tms.lib.db.rows import keys_of
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


class WatchedItem(NamedTuple):
    terminal: int
    model: str
    wave: int
    ordered_at: datetime | None
    counts_from: datetime | None
    """When its settle time is over; None unless it runs the wanted version."""
    missing_at: datetime | None
    """When it should have been back, and was not."""
    reached: Sequence[tuple[int, datetime]] = ()
    """Other rollouts that ran meanwhile, and when they ordered something of it."""

    def member(self, since: datetime, until: datetime) -> StratumMember | None:
        days = (until - since) / timedelta(days=1)
        if self.counts_from is not None and self.counts_from <= since:
            return StratumMember(self.terminal, self._stratum(until), True, days)
        if self.ordered_at is None or self.ordered_at >= until:
            return StratumMember(self.terminal, self._stratum(until), False, days)
        return None

    def _stratum(self, until: datetime) -> str:
        """A terminal that another rollout reached, too, is compared only with those that it reached."""
        if not self.reached:
            return self.model
        return self.model + "".join(f" {rollout}" for rollout, at in self.reached if at < until)

    def was_updating(self, at: datetime, *, since: datetime) -> bool:
        """Whether `at` was between its order and the first hour in which it counts as updated; `since`: a later one."""
        if self.counts_from is None:
            return False
        first = since - (since - self.counts_from) // hour() * hour()
        return (self.ordered_at or self.counts_from) <= at < first


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
    at_sites = Terminal.objects.filter(site__in=sites).order_by().values_list("pk", "site_id", "model")
    terminals = {pk: (site, model) for pk, site, model in at_sites}
    found: defaultdict[int, list[WatchedItem]] = defaultdict(list)
    # By their terminals, through the index: joined with them, all items of the rollout are read.
    rows = RolloutItem.objects.filter(rollout=rollout, terminal__in=keys_of(terminals)).order_by("terminal_id")
    reached = _reached(rollout, terminals)
    columns = ("terminal_id", "wave__number", "ordered_at", "updated_at", "state", "state_at")
    for terminal, wave, ordered_at, updated_at, state, state_at in rows.values_list(*columns):
        site, model = terminals[terminal]
        counts_from = updated_at + settle if updated_at is not None and state in UPDATED else None
        missing_at = state_at if state == RolloutItemState.NOT_BACK else None
        others = reached.get(terminal, ())
        found[site].append(WatchedItem(terminal, model, wave, ordered_at, counts_from, missing_at, others))
    return found


def _reached(rollout: Rollout, terminals: Collection[int]) -> dict[int, list[tuple[int, datetime]]]:
    """What other rollouts ordered of these terminals that were not over when this one started, in their order."""
    beginning = rollout.started_at or rollout.created_at
    beside = Rollout.objects.exclude(pk=rollout.pk).exclude(started_at=None).order_by()
    beside = beside.filter(Q(ended_at=None) | Q(ended_at__gt=beginning))
    found: defaultdict[int, list[tuple[int, datetime]]] = defaultdict(list)
    if others := list(beside.values_list("pk", flat=True)):
        rows = RolloutItem.objects.filter(rollout__in=others, terminal__in=keys_of(terminals), ordered_at__isnull=False)
        for terminal, other, at in rows.order_by("rollout_id").values_list("terminal_id", "rollout_id", "ordered_at"):
            assert at is not None
            found[terminal].append((other, at))
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


def read(items: Mapping[int, Sequence[WatchedItem]], since: datetime) -> dict[int, SiteHour]:
    """What happened in this hour at each of these sites, without those at which nothing can be compared."""
    until = since + hour()
    members = {site: [one for item in found if (one := item.member(since, until))] for site, found in items.items()}
    happened = {site: SiteHour(found) for site, found in members.items() if strata.exposures(found)}
    site_of = {member.terminal: site for site, one in happened.items() for member in one.members}
    by_terminal = {item.terminal: item for site in happened for item in items[site]}
    found = sources.read(site_of, since - episode(), until)
    # Who crashes again and again since its update would otherwise be quiet whenever it is asked about.
    found = [hit for hit in found if not by_terminal[hit.terminal].was_updating(hit.at, since=since)]
    if found:
        _sort(happened, site_of, _judge(happened, site_of, found, until), since)
    return happened


def _sort(
    happened: Mapping[int, SiteHour],
    site_of: Mapping[int, int],
    judged: Iterable[tuple[MeasuredHit, str | None]],
    since: datetime,
) -> None:
    for hit, reason in judged:
        site, is_now = happened[site_of[hit.terminal]], hit.at >= since
        if reason is None:
            (site.hit if is_now else site.quiet)[hit.measure].add(hit.terminal)
        elif is_now:
            site.left_out[hit.measure, reason] += 1


def _judge(
    happened: Mapping[int, SiteHour], site_of: Mapping[int, int], found: Sequence[MeasuredHit], until: datetime
) -> Iterator[tuple[MeasuredHit, str | None]]:
    """Each hit with the reason why it does not count, if there is one."""
    first = min(hit.began_at for hit in found)
    periods = maintenance.covering({hit.terminal: site_of[hit.terminal] for hit in found}, since=first, until=until)
    of_outages = sources.incidents_of_outages(found)
    incidents = {hit.incident for hit in found if hit.incident} | set(of_outages.values())
    sides = [side for site in happened.values() for side in _sides(site.members)]
    shared = sources.shared_incidents(incidents, sides)
    unclear = _unclear_for_both(happened, site_of, found, until)
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
                    is_unclear_for_both=(site_of[hit.terminal], (until - hit.at) // hour()) in unclear,
                )
            ),
        )


def _sides(members: Iterable[StratumMember]) -> list[Sides]:
    sides: defaultdict[str, Sides] = defaultdict(lambda: (set(), set()))
    for member in members:
        sides[member.stratum][not member.is_updated].add(member.terminal)
    return list(sides.values())


def _unclear_for_both(
    happened: Mapping[int, SiteHour], site_of: Mapping[int, int], found: Iterable[MeasuredHit], until: datetime
) -> set[tuple[int, int]]:
    """Each site and hour before `until` in which updated and waiting terminals had an outage of unknown cause."""
    updated = {member.terminal for site in happened.values() for member in site.members if member.is_updated}
    sides: defaultdict[tuple[int, int], set[bool]] = defaultdict(set)
    for hit in found:
        if hit.cause == UNCLEAR:
            sides[site_of[hit.terminal], (until - hit.at) // hour()].add(hit.terminal in updated)
    return {key for key, both in sides.items() if len(both) == 2}


def read_returns(items: Iterable[WatchedItem], since: datetime) -> tuple[int, list[int]]:
    """How many terminals settled in this hour, and which did not come back in time."""
    until, back, missing = since + hour(), 0, []
    for item in items:
        if item.missing_at is not None and since <= item.missing_at < until:
            missing.append(item.terminal)
        back += item.counts_from is not None and since <= item.counts_from < until
    return back, missing
