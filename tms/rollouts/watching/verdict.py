"""The verdict on a running rollout: go on, hold or stop, and whether its wave was watched enough to call it good."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Q, Sum

from tms.rollouts.effects import decision, noticeable
from tms.rollouts.effects.decision import Action, Standing
from tms.rollouts.effects.measures import MEASURES, READINGS
from tms.rollouts.effects.noticeable import Beside
from tms.rollouts.effects.rates import HISTORY_DAYS, LOWEST_MEAN
from tms.rollouts.effects.tally import EvidenceTally
from tms.rollouts.models import EvidencePoint, Rollout, RolloutItem, TerminalEffect, WatchedSite, Watching, Wave
from tms.rollouts.watching import evaluation
from tms.rollouts.watching.site_hours import UPDATED

AN_OPENING_DAY_H = 24.0
CHANGED = 0.01
"""The share by which evidence has to change for a new point of its curve."""


class Verdict(NamedTuple):
    evidence: float
    action: Action
    measures: Mapping[str, float]
    """The evidence of each."""
    is_enough: bool
    """Whether the current wave was watched enough; otherwise nothing is known of it."""


def evaluate(rollout: Rollout, *, at: datetime) -> Verdict:
    """Add what happened since the last evaluation, and say what follows from it. The curve is stored here, the verdict
    by the caller.
    """
    watching = evaluation.advance(rollout, at)
    tallies = tallies_of(rollout, watching)
    standings = {name: Standing(tally.evidence) for name, tally in tallies.items()}
    evidence = decision.mean_evidence(standings.values())
    if evidence >= decision.STOP:
        standings = standings_of(rollout, tallies)
    _store(rollout, evidence, {name: standing.evidence for name, standing in standings.items()}, at)
    action = decision.decide(standings.values())
    by_measure = {name: standing.evidence for name, standing in standings.items()}
    return Verdict(evidence, action, by_measure, _is_enough(rollout, watching))


def tallies_of(rollout: Rollout, watching: Watching) -> dict[str, EvidenceTally]:
    """The tally of each measure that the rollout is compared by."""
    return {name: EvidenceTally.load(watching.tallies.get(name, {})) for name in MEASURES if name in rollout.measures}


def standings_of(rollout: Rollout, tallies: Mapping[str, EvidenceTally]) -> dict[str, Standing]:
    hit, lean = Count("pk", filter=Q(hits__gt=0)), Count("pk", filter=Q(lean__gt=0))
    rows = TerminalEffect.objects.filter(rollout=rollout).values("measure").order_by()
    found = {
        row[0]: row[1:]
        for row in rows.annotate(hit=hit, higher=lean, number=Count("pk")).values_list(
            "measure", "hit", "higher", "number"
        )
    }
    standings = {}
    for name, tally in tallies.items():
        terminals, higher, number = found.get(name, (0, 0, 0))
        if name in READINGS:
            standings[name] = Standing(tally.evidence, higher, higher, number / 2)
        else:
            standings[name] = Standing(tally.evidence, terminals, tally.updated_hits, tally.expected)
    return standings


def _store(rollout: Rollout, evidence: float, measures: Mapping[str, float], at: datetime) -> None:
    last = EvidencePoint.objects.filter(rollout=rollout).order_by("-at").first()
    if last is None or abs(evidence - last.evidence) > CHANGED * last.evidence:
        rounded = {name: round(value, 3) for name, value in measures.items()}
        EvidencePoint.objects.create(rollout=rollout, at=at, evidence=evidence, measures=rounded)


def _is_enough(rollout: Rollout, watching: Watching) -> bool:
    wave = Wave.objects.filter(rollout=rollout, started_at__isnull=False).order_by("-number").first()
    if wave is None or wave.watch_hours == 0 or not rollout.measures:
        return True
    hours = AN_OPENING_DAY_H if wave.watch_hours is None else wave.watch_hours
    updated = RolloutItem.objects.filter(wave=wave, state__in=UPDATED).count()
    wanted, compared = updated * hours / 24, watching.compared_days.get(str(wave.number), 0.0)
    if not updated or compared < decision.ENOUGH_SHARE * wanted:
        return False
    smallest = _smallest(rollout, hours / 24)
    return decision.is_enough(compared_days=compared, wanted_days=wanted, smallest=smallest)


def _smallest(rollout: Rollout, days: float) -> float | None:
    """How many times as many restarts can be noticed now."""
    rows = RolloutItem.objects.filter(rollout=rollout).values("terminal__site", "terminal__model").order_by()
    counts = rows.annotate(
        updated=Count("pk", filter=Q(state__in=UPDATED)), waiting=Count("pk", filter=Q(ordered_at=None))
    ).filter(updated__gt=0, waiting__gt=0)
    strata = [Beside(updated, waiting) for updated, waiting in counts.values_list("updated", "waiting")]
    rate = usual_restarts(rollout)
    return noticeable.smallest_ratio(strata, rate=rate, days=days, measures=len(rollout.measures))


def usual_restarts(rollout: Rollout) -> float:
    """Restarts of a terminal a day, before the rollout, at the sites that are watched."""
    sites = WatchedSite.objects.filter(rollout=rollout)
    hits = sum(sum(site.hits.get("restarts", {}).values()) for site in sites.iterator())
    terminals = RolloutItem.objects.filter(rollout=rollout, terminal__site__in=sites.values("site")).count()
    return max(hits / HISTORY_DAYS / max(1, terminals), LOWEST_MEAN)


def most_hit(rollout: Rollout, number: int = 20) -> list[tuple[int, int]]:
    """The updated terminals with the most hits, and how many."""
    rows = TerminalEffect.objects.filter(rollout=rollout, hits__gt=0).values("terminal").order_by()
    found = rows.annotate(total=Sum("hits")).order_by("-total", "terminal_id")[:number]
    return list(found.values_list("terminal", "total"))
