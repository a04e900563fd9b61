"""What a new rollout would do now: whom it reaches in which wave, and what the guards would hold. Bounded queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from tms.accounts.access import permitted, visible
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.maintenance import services as maintenance
from tms.fleet.models import Lifecycle, Presence, Terminal
from tms.jobs import runner
from tms.jobs.services import read_query
from tms.rollouts.models import ApprovalRule
from tms.rollouts.values import SMALL, RolloutValues
from tms.rollouts.waves import Target, WaveDraw, draw

MAX_LANES = 5_000
"""Terminals whose lanes are looked at; above that the preview says that the guards are asked at each start."""


@dataclass(frozen=True, slots=True)
class RolloutPreview:
    matched: int
    """What the person sees."""
    targets: int
    """What the rollout would have."""
    sites: int
    by_wave: Sequence[int]
    offline: int
    retired: int
    in_maintenance: int
    last_lanes: int | None
    """Terminals that are the last working lane of an open site; None if there are too many to look at."""
    size: int
    """Bytes that each terminal downloads."""
    needs_second: bool
    threshold: int

    @property
    def not_permitted(self) -> int:
        return max(self.matched - self.targets - self.retired, 0)

    @property
    def is_small(self) -> bool:
        """Only large effects can be noticed."""
        return 0 < self.targets < SMALL

    @property
    def download(self) -> int:
        return self.size * self.targets


def preview_of(values: RolloutValues, *, by: User, at: datetime) -> RolloutPreview:
    """Raises QueryError."""
    rows = _rows(values, at)
    allowed = permitted(rows, by=by, permission=Permission.RUN_ROLLOUTS)
    targets = allowed.exclude(lifecycle=Lifecycle.RETIRED)
    found = [Target(*row) for row in targets.order_by().values_list("pk", "site", "model").distinct()]
    waves = draw(found, [WaveDraw(wave.kind, wave.size) for wave in values.waves], seed=0)
    windows = maintenance.running(at)
    sites = {target.site for target in found}
    return RolloutPreview(
        matched=visible(rows, to=by).count(),
        targets=len(found),
        sites=len(sites),
        by_wave=[len(wave) for wave in waves],
        offline=targets.exclude(state__presence=Presence.ONLINE).count(),
        retired=allowed.filter(lifecycle=Lifecycle.RETIRED).count(),
        in_maintenance=targets.filter(maintenance.in_scope(windows)).count() if windows else 0,
        last_lanes=_last_lanes({target.terminal for target in found}, sites, values, at),
        size=sum(artifact.size for artifact in values.artifacts),
        needs_second=values.approval != ApprovalRule.NONE or 0 < settings.APPROVAL_TERMINALS < len(found),
        threshold=settings.APPROVAL_TERMINALS,
    )


def _rows(values: RolloutValues, at: datetime) -> QuerySet[Terminal]:
    if values.query:
        return Terminal.objects.filter(read_query(values.query).where(at))
    return Terminal.objects.filter(pk__in=[terminal.pk for terminal in values.terminals])


def _last_lanes(targets: set[int], sites: set[int], values: RolloutValues, at: datetime) -> int | None:
    if len(targets) > MAX_LANES:
        return None
    situation = runner.situation_at(sorted(sites), values.hours, is_dangerous=True, at=at)
    return sum(
        len(terminals) == 1 and site in situation.open_sites and targets.issuperset(terminals)
        for (site, _kind), terminals in situation.working.items()
    )
