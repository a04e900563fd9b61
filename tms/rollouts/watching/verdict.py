"""The verdict on a running rollout: go on, hold or stop, and whether its wave was watched enough to call it good."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Q, Sum

from tms.rollouts.effects import decision, noticeable
from tms.rollouts.effects.decision import Action, Standing
from tms.rollouts.effects.measures import MEASURES, READINGS
from tms.rollouts.effects.noticeable import Beside
from tms.rollouts.effects.rates import HISTORY_DAYS, LOWEST_MEAN
from tms.rollouts.effects.tally import EvidenceTally
from tms.rollouts.models import (
    EvidencePoint,
    Rollout,
    RolloutItem,
    TerminalEffect,
    WatchedSite,
    Watching,
    Wave,
    WaveState,
)
from tms.rollouts.watching import evaluation
from tms.rollouts.watching.site_hours import UPDATED

CHANGED = 0.01
"""The share by which evidence has to change for a new point of its curve."""


class Verdict(NamedTuple):
    evidence: float
    action: Action
    measures: Mapping[str, float]
    """The evidence of each."""
    is_enough: bool
    """Whether the last wave that is watched was watched enough; otherwise nothing is known of it."""


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
    return Verdict(evidence, action, by_measure, _is_enough(rollout, watching, at))


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


def _is_enough(rollout: Rollout, watching: Watching, at: datetime) -> bool:
    """Asked of the last wave that is watched, when its exposure is over, until it passes."""
    wave = Wave.objects.filter(rollout=rollout).watched().order_by("-number").first()
    if not rollout.measures or wave is None:
        return not rollout.measures or not rollout.waves.exclude(watch_hours=0).exists()
    if wave.state == WaveState.PASSED:
        return rollout.enough_evidence
    if wave.watched_until is None or wave.exposure is None or at < wave.watched_until:
        return False
    days = wave.exposure / timedelta(days=1)
    updated = RolloutItem.objects.filter(wave=wave, state__in=UPDATED).count()
    wanted, compared = updated * days, watching.compared_days.get(str(wave.number), 0.0)
    if not updated or compared < decision.ENOUGH_SHARE * wanted:
        return False
    return decision.is_enough(compared_days=compared, wanted_days=wanted, smallest=_smallest(rollout, days))


def _smallest(rollout: Rollout, days: float) -> float | None:
    """How many times as many restarts can be noticed now, from the last hour of the sites that were compared in it."""
    sites = WatchedSite.objects.filter(rollout=rollout).values_list("strata", "hits__restarts")
    compared = [(sizes, hits or {}) for sizes, hits in sites if sizes]
    beside = [Beside(*pair) for sizes, _ in compared for pair in sizes.values()]
    restarts = sum(sum(hits.values()) for _, hits in compared)  # in the days before the rollout
    rate = max(restarts / HISTORY_DAYS / max(1, sum(map(sum, beside))), LOWEST_MEAN)
    return noticeable.smallest_ratio(beside, rate=rate, days=days, measures=len(rollout.measures))


def most_hit(rollout: Rollout, number: int = 20) -> list[tuple[int, int]]:
    """The updated terminals with the most hits, and how many."""
    rows = TerminalEffect.objects.filter(rollout=rollout, hits__gt=0).values("terminal").order_by()
    found = rows.annotate(total=Sum("hits")).order_by("-total", "terminal_id")[:number]
    return list(found.values_list("terminal", "total"))
