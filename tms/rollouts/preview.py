"""What a rollout would do now: whom it reaches, what holds it, how long it takes. A few queries, bounded."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tms.accounts.models import User
from tms.alerts.maintenance import coverage as maintenance
from tms.approvals.clearance import has_outgrown
from tms.fleet.models import Presence, Site, Terminal
from tms.fleet.sites.calendar import hours_of
from tms.jobs.models import JobHours
from tms.jobs.runner import situation_at
from tms.rollouts import planning
from tms.rollouts.models import Rollout, RolloutItem, RolloutItemState, WaveKind
from tms.rollouts.orders import Changes
from tms.rollouts.rolling_back import RollBack
from tms.rollouts.values import RolloutValues, WaveValues
from tms.rollouts.waves.drawing import WaveDraw, WaveTarget, draw
from tms.rollouts.waves.steps import exposed_at

MAX_LOOKED_AT = 5_000
"""Terminals whose lanes are looked at; above that the preview says that the guards are asked at each start."""
MAX_SITES = 2_000
SHOWN = 8
ASSUMED_S = 600
"""How long a terminal takes to download and install, until one has."""
TIMED = 200


@dataclass(frozen=True, slots=True)
class RolloutPreview:
    terminals: int
    """That get the change."""
    sites: int
    unfit: Mapping[str, int]
    """How many cannot be changed, by reason."""
    offline: int
    in_maintenance: int
    last_lanes: int
    """Terminals that are now the last working lane of an open site; they wait until it closes."""
    always_open: Sequence[str]
    """Codes of sites that never close, if it waits for closed ones: their last lanes have no hour left."""
    download_bytes: int
    waves: Sequence[int]
    """How many terminals each wave would have."""
    needs_second: bool
    installing_s: int
    ends_at: datetime | None
    """The time at which it is about over; None without terminals."""


def preview_of(
    values: RolloutValues, *, to: User, at: datetime, rolls_back: Rollout | None = None, plan: RollBack | None = None
) -> RolloutPreview:
    """Raises the same as `planning.draft`. `plan`: of a roll back."""
    made, members = planning.draft(values, by=to, at=at, rolls_back=rolls_back)
    rows = list(members.select_related("state").order_by("pk").distinct())
    unfit = _unfit(made, values, rows)
    fit = [row for row in rows if row.pk not in unfit]
    windows = maintenance.running(at)
    site_of = {row.pk: row.site_id for row in fit}
    sites = set(site_of.values())
    waves = _waves(values, fit)
    installing_s = _installing_s(values, site_of)
    return RolloutPreview(
        terminals=len(fit),
        sites=len(sites),
        unfit=dict(Counter(unfit.values())),
        offline=sum(row.state.presence != Presence.ONLINE for row in fit),
        in_maintenance=len(maintenance.coverage_of(site_of, among=windows)) if windows else 0,
        last_lanes=_last_lanes(values, fit, sites, at),
        always_open=_always_open(values, sites),
        download_bytes=_bytes(values, fit, plan),
        waves=waves,
        needs_second=has_outgrown(len(rows), 0),
        installing_s=installing_s,
        ends_at=_ends_at(values, waves, sites, installing_s, at) if fit else None,
    )


def _unfit(made: Rollout, values: RolloutValues, rows: Sequence[Terminal]) -> dict[int, str]:
    changes = Changes(made, artifacts=values.artifacts)
    able = changes.able(rows)
    found = {pk: "unsupported" for pk, can in able.items() if not can}
    if made.rolls_back_id is None:
        found = changes.unfit([RolloutItem(terminal=row) for row in rows]) | found
    return found


def _waves(values: RolloutValues, rows: Sequence[Terminal]) -> list[int]:
    targets = (WaveTarget(row.pk, row.site_id, row.model) for row in rows)
    drawn = draw(targets, [WaveDraw(wave.kind, wave.size) for wave in values.waves], seed=0)
    return [len(terminals) for terminals in drawn]


def _last_lanes(values: RolloutValues, rows: Sequence[Terminal], sites: set[int], at: datetime) -> int:
    if len(rows) > MAX_LOOKED_AT or len(sites) > MAX_SITES:
        return 0
    situation = situation_at(sites, values.hours, is_dangerous=True, at=at)
    alone = {
        next(iter(terminals))
        for (site, _kind), terminals in situation.working.items()
        if site in situation.open_sites and len(terminals) == 1
    }
    return sum(row.pk in alone for row in rows)


def _always_open(values: RolloutValues, sites: set[int]) -> list[str]:
    if values.hours != JobHours.CLOSED or len(sites) > MAX_SITES:
        return []
    open_always = [pk for pk, hours in hours_of(sites).items() if hours.never_closes]
    return list(Site.objects.filter(pk__in=open_always).order_by("code").values_list("code", flat=True))


def _bytes(values: RolloutValues, rows: Sequence[Terminal], plan: RollBack | None) -> int:
    if plan is None:
        return len(rows) * sum(artifact.size for artifact in values.artifacts)
    size = {artifact.pk: artifact.size for artifact in values.artifacts}
    return sum(size.get(pk, 0) for row in rows for pk in plan.plans.get(row.pk, ()))


def _installing_s(values: RolloutValues, site_of: Mapping[int, int]) -> int:
    """How long installing takes, without the hours of sites."""
    rounds = math.ceil(len(site_of) / values.at_once)
    if values.per_site and site_of:
        rounds = max(rounds, math.ceil(max(Counter(site_of.values()).values()) / values.per_site))
    return rounds * (_takes_s(values) + values.settle_s)


def _takes_s(values: RolloutValues) -> int:
    """The mean of terminals that installed one of these artifacts before."""
    done = RolloutItem.objects.filter(state=RolloutItemState.DONE, rollout__artifacts__in=values.artifacts)
    rows = done.order_by("-pk").values_list("ordered_at", "updated_at")[:TIMED]
    took = [(until - since).total_seconds() for since, until in rows if since and until and until > since]
    return round(sum(took) / len(took)) if took else ASSUMED_S


def _ends_at(
    values: RolloutValues, waves: Sequence[int], sites: set[int], installing_s: int, at: datetime
) -> datetime | None:
    now = values.starts_at or at
    total = sum(waves) or 1
    hours = list(hours_of(sites).values()) if len(sites) <= MAX_SITES else []
    last = _last_watched(values.waves, waves)
    for number, (wave, terminals) in enumerate(zip(values.waves, waves, strict=True)):
        if not terminals:
            continue
        now += timedelta(seconds=installing_s * terminals / total)
        if number < last:
            now = exposed_at(hours, now) if wave.watch_hours is None else now + timedelta(hours=wave.watch_hours)
    return now


def _last_watched(values: Sequence[WaveValues], waves: Sequence[int]) -> int:
    """The number of the last wave, which nobody waits for."""
    numbers = [number for number, terminals in enumerate(waves) if terminals]
    return numbers[-1] if numbers and values[numbers[-1]].kind != WaveKind.LATE else len(waves) - 1
