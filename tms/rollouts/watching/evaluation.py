"""The evaluation of a running rollout, once a minute: hours of sites that are over are added to its tallies.

An hour of a site ends at a minute of its own and is added once. It never changes later, so that one evaluation gives
what many give.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from zlib import crc32

from django.db import transaction
from django.db.models import Min

from tms.lib.db.rows import keys_of
from tms.rollouts.effects import betting, strata
from tms.rollouts.effects.measures import COUNTED, MEASURES
from tms.rollouts.effects.strata import Exposure, StratumMember
from tms.rollouts.effects.tally import EvidenceTally
from tms.rollouts.models import Rollout, RolloutItem, TerminalEffect, WatchedSite, Watching
from tms.rollouts.watching import readings, site_hours
from tms.rollouts.watching.site_hours import SiteHour, WatchedItem

GRACE = timedelta(minutes=2)
"""What happened within an hour is committed by then."""
SITES_AT_ONCE = 50
"""More are due after an interruption; then the next evaluations catch up."""


@dataclass(slots=True)
class EvaluationProgress:
    """What an evaluation adds."""

    rollout: Rollout
    watching: Watching
    tallies: dict[str, EvidenceTally]
    effects: dict[tuple[str, int], tuple[int, float]] = field(default_factory=dict)
    """New hits and leans of updated terminals, by measure and terminal."""
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add_effect(self, measure: str, terminal: int, *, hits: int = 0, lean: float = 0.0) -> None:
        before = self.effects.get((measure, terminal), (0, 0.0))
        self.effects[measure, terminal] = (before[0] + hits, before[1] + lean)


@transaction.atomic
def advance(rollout: Rollout, at: datetime) -> Watching:
    """Add the hours that are over by `at`."""
    watching, _ = Watching.objects.get_or_create(rollout=rollout)
    watching = Watching.objects.select_for_update().get(rollout=rollout)
    if watching.watched_from != rollout.watched_from:
        _begin_again(rollout, watching)
    progress = EvaluationProgress(
        rollout, watching, {name: EvidenceTally.load(watching.tallies.get(name, {})) for name in MEASURES}
    )
    _watch_new_sites(rollout, watching)
    over = at - GRACE - site_hours.hour()
    due = WatchedSite.objects.filter(rollout=rollout, hour__lte=over).order_by("hour", "site_id")
    sites = {site.site_id: site for site in due[:SITES_AT_ONCE]}
    items = site_hours.items_of(rollout, sites) if sites else {}
    _read_past(rollout, sites.values(), items)
    while hour := min((site.hour for site in sites.values() if site.hour <= over), default=None):
        together = [site for site in sites.values() if site.hour == hour]
        _add_hour(progress, together, {site.site_id: items.get(site.site_id, []) for site in together}, hour)
    WatchedSite.objects.bulk_update(sites.values(), ("hour", "strata"))
    _store(progress, at)
    return watching


def _begin_again(rollout: Rollout, watching: Watching) -> None:
    """Forget what was counted, because a person continued the rollout. The curve of its evidence stays."""
    WatchedSite.objects.filter(rollout=rollout).delete()
    TerminalEffect.objects.filter(rollout=rollout).delete()
    watching.tallies, watching.left_out, watching.compared_days = {}, {}, {}
    watching.watched_from, watching.evaluated_at = rollout.watched_from, None


def _watch_new_sites(rollout: Rollout, watching: Watching) -> None:
    """Watch sites from the hour in which their first terminal was updated."""
    updated = RolloutItem.objects.filter(rollout=rollout, updated_at__isnull=False)
    if watching.evaluated_at is not None:
        # Those before were seen by the last evaluation (index: rolloutitem_updated).
        updated = updated.filter(updated_at__gt=watching.evaluated_at - GRACE)
    found = updated.values("terminal__site_id").annotate(first=Min("updated_at")).order_by()
    begin = rollout.watched_from or rollout.started_at or rollout.created_at
    WatchedSite.objects.bulk_create(
        [
            WatchedSite(rollout=rollout, site_id=site, hour=_hour_of_site(site, max(first, begin)))
            for site, first in found.values_list("terminal__site_id", "first")
        ],
        ignore_conflicts=True,
    )


def _hour_of_site(site: int, at: datetime) -> datetime:
    """Each site has a minute of its own at which its hours begin, so that not all are evaluated at once. It is not the
    number of the site itself: large sites may be made in a pattern.
    """
    length = site_hours.hour()
    begin = datetime.min.replace(tzinfo=at.tzinfo) + length * (crc32(site.to_bytes(8)) % 60) / 60
    return at - (at - begin) % length


def _read_past(rollout: Rollout, sites: Iterable[WatchedSite], items: Mapping[int, Sequence[WatchedItem]]) -> None:
    """Store the hits before the rollout of sites that are evaluated for the first time."""
    new = [site for site in sites if not site.hits and items.get(site.site_id)]
    for site in new:
        terminals = [item.terminal for item in items[site.site_id]]
        hits = site_hours.past_hits(terminals, rollout.started_at or site.hour)
        by_measure = {name: hits.get(name, {}) for name in COUNTED}
        site.hits = {name: {str(key): number for key, number in found.items()} for name, found in by_measure.items()}
    WatchedSite.objects.bulk_update(new, ("hits",))


def _add_hour(
    progress: EvaluationProgress,
    sites: Sequence[WatchedSite],
    items: Mapping[int, Sequence[WatchedItem]],
    since: datetime,
) -> None:
    """Add this hour of these sites: together, as each table is read once for all of them."""
    happened = site_hours.read(items, since)
    until = since + site_hours.hour()
    for site in sites:
        _add_returns(progress, items[site.site_id], since)
        site.hour, site.strata = until, {}
        if hour := happened.get(site.site_id):
            _add_site(progress, site, items[site.site_id], hour)
    if last := readings.window_before(until, site_hours.hour()):
        _add_changes(progress, {site: items[site] for site in happened}, last)


def _add_site(
    progress: EvaluationProgress, site: WatchedSite, items: Sequence[WatchedItem], happened: SiteHour
) -> None:
    site.strata = strata.sizes(happened.members)
    _add_exposure(progress, items, happened)
    for name in COUNTED:
        if happened.hit[name]:
            _add_hits(progress, name, happened, site)
    progress.left_out += happened.left_out


def _add_exposure(progress: EvaluationProgress, items: Sequence[WatchedItem], hour: SiteHour) -> None:
    exposures = strata.exposures(hour.members)
    for name in COUNTED:
        for exposure in exposures:
            progress.tallies[name].expose(exposure)
    waits = {member.stratum for member in hour.members if not member.is_updated}
    waves = {item.terminal: str(item.wave) for item in items}
    days = progress.watching.compared_days
    for member in hour.members:
        if member.is_updated and member.stratum in waits:
            wave = waves[member.terminal]
            days[wave] = days.get(wave, 0.0) + member.days


def _add_hits(progress: EvaluationProgress, name: str, hour: SiteHour, site: WatchedSite) -> None:
    rates = site_hours.expected_rates(site.hits.get(name, {}), [member.terminal for member in hour.members])
    for counts in strata.count(hour.members, hour.hit[name], hour.quiet[name], rates):
        progress.tallies[name].add(counts)
        for terminal in counts.updated_hit:
            progress.add_effect(name, terminal, hits=1)


def _add_returns(progress: EvaluationProgress, items: Sequence[WatchedItem], since: datetime) -> None:
    back, missing = site_hours.read_returns(items, since)
    if back or missing:
        progress.tallies["not_back"].add(strata.count_returns(back, missing))
        progress.tallies["not_back"].expose(Exposure(back + len(missing), 0))
        for terminal in missing:
            progress.add_effect("not_back", terminal, hits=1)


def _add_changes(progress: EvaluationProgress, items: Mapping[int, Sequence[WatchedItem]], last: datetime) -> None:
    """Compare those that were updated, or waited, for the whole window and the hour before it."""
    since, until = last - readings.WINDOW, last + readings.HOUR
    found = ([member for item in some if (member := item.member(since, until))] for some in items.values())
    sites = [members for members in found if strata.exposures(members)]
    changes = readings.read_changes([member.terminal for members in sites for member in members], last)
    for name, members in product(changes, sites):
        _add_changes_of(progress, name, members, changes[name])


def _add_changes_of(
    progress: EvaluationProgress, name: str, members: Sequence[StratumMember], changes: Mapping[int, float]
) -> None:
    for updated, waiting in _by_stratum(members, changes):
        new, old = [changes[one] for one in updated], [changes[one] for one in waiting]
        leans = betting.mean_leans(new, old)
        progress.tallies[name].add_changes(leans, new, old)
        for terminal, lean in zip(updated, leans, strict=True):
            progress.add_effect(name, terminal, lean=lean)


def _by_stratum(members: Sequence[StratumMember], changes: Mapping[int, float]) -> list[tuple[list[int], list[int]]]:
    found: defaultdict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for member in members:
        if member.terminal in changes:
            found[member.stratum][not member.is_updated].append(member.terminal)
    return [(updated, waiting) for updated, waiting in found.values() if updated and waiting]


def _store(progress: EvaluationProgress, at: datetime) -> None:
    watching = progress.watching
    watching.tallies = {name: tally.dump() for name, tally in progress.tallies.items()}
    for (measure, reason), number in progress.left_out.items():
        reasons = watching.left_out.setdefault(measure, {})
        reasons[reason] = reasons.get(reason, 0) + number
    watching.evaluated_at = at
    watching.save()
    _store_effects(progress)


def _store_effects(progress: EvaluationProgress) -> None:
    """Add the new hits and leans. Nobody else does, while the row of the watching is locked."""
    terminals = keys_of({terminal for _, terminal in progress.effects})
    known = TerminalEffect.objects.filter(rollout=progress.rollout, terminal__in=terminals)
    for measure, terminal, hits, lean in known.values_list("measure", "terminal_id", "hits", "lean"):
        if (measure, terminal) in progress.effects:
            progress.add_effect(measure, terminal, hits=hits, lean=lean)
    TerminalEffect.objects.bulk_create(
        [
            TerminalEffect(rollout=progress.rollout, measure=measure, terminal_id=terminal, hits=hits, lean=lean)
            for (measure, terminal), (hits, lean) in progress.effects.items()
        ],
        update_conflicts=True,
        unique_fields=("rollout", "measure", "terminal"),
        update_fields=("hits", "lean"),
    )


def is_behind(rollout: Rollout, at: datetime) -> bool:
    """Whether hours are over that were not added yet: one evaluation takes `SITES_AT_ONCE`."""
    return WatchedSite.objects.filter(rollout=rollout, hour__lte=at - GRACE - site_hours.hour()).exists()
