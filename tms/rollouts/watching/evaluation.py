"""The evaluation of a running rollout, once a minute: hours of sites that are over are added to its tallies.

An hour of a site ends at a minute of its own and is added once. It never changes later, so that one evaluation gives
what many give.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Min

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
    _watch_new_sites(rollout)
    due = WatchedSite.objects.filter(rollout=rollout, hour__lte=at - GRACE - site_hours.hour()).order_by("hour", "site")
    sites = list(due[:SITES_AT_ONCE])
    items = site_hours.items_of(rollout, [site.site_id for site in sites]) if sites else {}
    new = [site for site in sites if not site.hits]
    for site in sites:
        _add_site(progress, site, items.get(site.site_id, []), at)
    WatchedSite.objects.bulk_update(sites, ("hour",))
    WatchedSite.objects.bulk_update(new, ("hits",))
    _store(progress, at)
    return watching


def _begin_again(rollout: Rollout, watching: Watching) -> None:
    """Forget what was counted, because a person continued the rollout. The curve of its evidence stays."""
    WatchedSite.objects.filter(rollout=rollout).delete()
    TerminalEffect.objects.filter(rollout=rollout).delete()
    watching.tallies, watching.left_out, watching.compared_days = {}, {}, {}
    watching.watched_from = rollout.watched_from


def _watch_new_sites(rollout: Rollout) -> None:
    """Watch sites from the hour in which their first terminal was updated."""
    watched = WatchedSite.objects.filter(rollout=rollout).values("site")
    updated = RolloutItem.objects.filter(rollout=rollout, updated_at__isnull=False)
    found = updated.exclude(terminal__site__in=watched).values("terminal__site_id").annotate(first=Min("updated_at"))
    begin = rollout.watched_from or rollout.started_at or rollout.created_at
    WatchedSite.objects.bulk_create(
        [
            WatchedSite(rollout=rollout, site_id=site, hour=_hour_of_site(site, max(first, begin)))
            for site, first in found.order_by().values_list("terminal__site_id", "first")
        ],
        ignore_conflicts=True,
    )


def _hour_of_site(site: int, at: datetime) -> datetime:
    """Each site has a minute of its own at which its hours begin, so that not all are evaluated at once."""
    length = site_hours.hour()
    begin = datetime.min.replace(tzinfo=at.tzinfo) + length * (site % 60) / 60
    return at - (at - begin) % length


def _add_site(progress: EvaluationProgress, site: WatchedSite, items: Sequence[WatchedItem], at: datetime) -> None:
    if items and not site.hits:
        began_at = progress.rollout.started_at or site.hour
        hits = site_hours.past_hits([item.terminal for item in items], began_at)
        by_measure = {name: hits.get(name, {}) for name in COUNTED}
        site.hits = {name: {str(key): number for key, number in found.items()} for name, found in by_measure.items()}
    while site.hour <= at - GRACE - site_hours.hour():
        _add_hour(progress, site, items)
        site.hour += site_hours.hour()


def _add_hour(progress: EvaluationProgress, site: WatchedSite, items: Sequence[WatchedItem]) -> None:
    _add_returns(progress, items, site.hour)
    hour = site_hours.read(items, site.site_id, site.hour)
    if hour is None:
        return
    _add_exposure(progress, items, hour)
    for name in COUNTED:
        if hour.hit[name]:
            _add_hits(progress, name, hour, site)
    progress.left_out += hour.left_out
    if last := readings.window_before(site.hour + site_hours.hour(), site_hours.hour()):
        _add_changes(progress, items, last)


def _add_exposure(progress: EvaluationProgress, items: Sequence[WatchedItem], hour: SiteHour) -> None:
    exposures = strata.exposures(hour.members)
    for name in COUNTED:
        for exposure in exposures:
            progress.tallies[name].expose(exposure)
    waits = {member.model for member in hour.members if not member.is_updated}
    waves = {item.terminal: str(item.wave) for item in items}
    days = progress.watching.compared_days
    for member in hour.members:
        if member.is_updated and member.model in waits:
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


def _add_changes(progress: EvaluationProgress, items: Sequence[WatchedItem], last: datetime) -> None:
    """Compare those that were updated, or waited, for the whole window and the hour before it."""
    since, until = last - readings.WINDOW, last + readings.HOUR
    members = [member for item in items if (member := item.member(since, until))]
    if not strata.exposures(members):
        return
    for name, changes in readings.read_changes(members, last).items():
        for updated, waiting in _by_model(members, changes):
            new, old = [changes[one] for one in updated], [changes[one] for one in waiting]
            leans = betting.mean_leans(new, old)
            progress.tallies[name].add_changes(leans, new, old)
            for terminal, lean in zip(updated, leans, strict=True):
                progress.add_effect(name, terminal, lean=lean)


def _by_model(members: Sequence[StratumMember], changes: dict[int, float]) -> list[tuple[list[int], list[int]]]:
    found: defaultdict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for member in members:
        if member.terminal in changes:
            found[member.model][not member.is_updated].append(member.terminal)
    return [(updated, waiting) for updated, waiting in found.values() if updated and waiting]


def _store(progress: EvaluationProgress, at: datetime) -> None:
    watching = progress.watching
    watching.tallies = {name: tally.dump() for name, tally in progress.tallies.items()}
    for (measure, reason), number in progress.left_out.items():
        reasons = watching.left_out.setdefault(measure, {})
        reasons[reason] = reasons.get(reason, 0) + number
    watching.evaluated_at = at
    watching.save()
    rows = [
        TerminalEffect(rollout=progress.rollout, measure=measure, terminal_id=terminal)
        for measure, terminal in progress.effects
    ]
    TerminalEffect.objects.bulk_create(rows, ignore_conflicts=True)
    for (measure, terminal), (hits, lean) in progress.effects.items():
        TerminalEffect.objects.filter(rollout=progress.rollout, measure=measure, terminal=terminal).update(
            hits=F("hits") + hits, lean=F("lean") + lean
        )


def is_behind(rollout: Rollout, at: datetime) -> bool:
    """Whether hours are over that were not added yet: one evaluation takes `SITES_AT_ONCE`."""
    return WatchedSite.objects.filter(rollout=rollout, hour__lte=at - GRACE - site_hours.hour()).exists()
