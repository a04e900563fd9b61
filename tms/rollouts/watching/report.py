"""Everything that pages show of the effects of a rollout, as data: the sentences are those of the pages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Q

from tms.rollouts.effects.decision import HOLD, STOP, mean_evidence
from tms.rollouts.effects.measures import MEASURES, MeasureKind
from tms.rollouts.effects.tally import EvidenceTally
from tms.rollouts.models import EvidencePoint, Rollout, TerminalEffect, WatchedSite, Watching
from tms.rollouts.watching.verdict import most_hit, standings_of, tallies_of

MAX_POINTS = 5_000


class MeasureReport(NamedTuple):
    """One measure. Rates are hits per 100 terminal-days; of a reading, the mean change in three hours."""

    name: str
    kind: MeasureKind
    evidence: float
    updated: float | None
    """None before there is anything to compare."""
    waiting: float | None
    """The rate at the same sites and hours, of the same models; of `not_back`, what is expected."""
    terminals: int
    """Updated terminals that were hit, or whose reading rose more than that of the waiting ones."""
    hits: int
    expected: float
    """How many hits, or such terminals, there would be if nothing were wrong."""
    sites: int
    """Sites with such terminals."""

    @property
    def stands_out(self) -> bool:
        return self.evidence >= HOLD


class Point(NamedTuple):
    at: datetime
    evidence: float
    measures: Mapping[str, float]


class EffectsReport(NamedTuple):
    evidence: float
    hold: float
    stop: float
    measures: Sequence[MeasureReport]
    left_out: Mapping[str, int]
    """How many hits did not count, by reason (`LeftOut`)."""
    history: Sequence[Point]
    most_hit: Sequence[tuple[int, int]]
    """The primary keys of updated terminals and their hits, most first."""
    updated_days: float
    """Terminal-days of updated terminals beside waiting ones."""
    sites: int
    """Sites with updated terminals."""
    evaluated_at: datetime | None


def of(rollout: Rollout) -> EffectsReport:
    watching = Watching.objects.filter(rollout=rollout).first() or Watching(rollout=rollout)
    tallies = tallies_of(rollout, watching)
    standings = standings_of(rollout, tallies)
    sites = _sites_of(rollout)
    measures = [
        MeasureReport(
            name,
            MEASURES[name].kind,
            standing.evidence,
            *_rates(name, tallies[name]),
            standing.terminals,
            int(standing.hits),
            standing.expected,
            sites.get(name, 0),
        )
        for name, standing in standings.items()
    ]
    return EffectsReport(
        mean_evidence(standings.values()),
        HOLD,
        STOP,
        measures,
        _left_out(watching),
        _history(rollout),
        most_hit(rollout),
        max((tallies[one.name].updated_days for one in measures if one.kind is MeasureKind.COUNT), default=0.0),
        WatchedSite.objects.filter(rollout=rollout).count(),
        watching.evaluated_at,
    )


def _rates(name: str, tally: EvidenceTally) -> tuple[float | None, float | None]:
    if not tally.updated_days:
        return None, None
    if MEASURES[name].kind is MeasureKind.READING:
        return tally.updated_change / tally.updated_days, tally.waiting_change / tally.updated_days
    other = tally.expected if MEASURES[name].kind is MeasureKind.RETURN else tally.standard_hits
    return 100 * tally.updated_hits / tally.updated_days, 100 * other / tally.updated_days


def _sites_of(rollout: Rollout) -> dict[str, int]:
    rows = TerminalEffect.objects.filter(Q(hits__gt=0) | Q(lean__gt=0), rollout=rollout).values("measure").order_by()
    return dict(rows.annotate(sites=Count("terminal__site", distinct=True)).values_list("measure", "sites"))


def _left_out(watching: Watching) -> dict[str, int]:
    found: dict[str, int] = {}
    for reasons in watching.left_out.values():
        for reason, number in reasons.items():
            found[reason] = found.get(reason, 0) + number
    return found


def _history(rollout: Rollout) -> list[Point]:
    rows = EvidencePoint.objects.filter(rollout=rollout).order_by("-at")[:MAX_POINTS]
    return [Point(*row) for row in rows.values_list("at", "evidence", "measures")][::-1]
