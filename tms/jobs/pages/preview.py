"""What a new job would do now: whom it reaches, who is left out, what the guards would hold. A few queries, bounded."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models import Count, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat
from django.utils.translation import get_language

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.alerts.maintenance import coverage as maintenance
from tms.commands.kinds import CommandSpec
from tms.commands.models import TerminalCapabilities
from tms.fleet.models import Lifecycle, Presence, Terminal
from tms.fleet.sites.calendar import hours_of
from tms.jobs import runner, services
from tms.jobs.models import Item, ItemState, JobHours, JobRun

SHOWN_SITES = 8
TIMED_RUNS, TIMED_ITEMS = 5, 200
A_MINUTE = 60
MAX_SITES = 2_000
"""Sites whose hours are looked at."""
MAX_LANES = 5_000
"""Terminals whose lanes are looked at; above that the preview says that the guards are asked at each send."""


class PreviewSite(NamedTuple):
    code: str
    name: str
    number: int
    is_open: bool | None
    """None if that was not looked at."""
    changes_at: datetime | None
    """When it opens or closes."""


class PreviewLimits(NamedTuple):
    """How many terminals at once, and how many of a site; 0 for no limit."""

    at_once: int
    per_site: int


class LastLanes(NamedTuple):
    """Open sites with one working terminal of a kind that the job would take."""

    sites: int
    terminals: int


@dataclass(frozen=True, slots=True)
class JobPreview:
    matched: int
    """What the person sees."""
    total: int
    """The items that a run would have."""
    sent: int
    """The items that get the command."""
    unsupported: int
    retired: int
    online: int
    in_maintenance: int
    elsewhere: int
    """How many of `sent` wait for the hours of their sites."""
    sites: list[PreviewSite]
    number_of_sites: int
    open_sites: int | None
    last_lanes: LastLanes | None
    takes_s: float | None
    """How long it takes if all answer as fast as in the last runs; None if there were none."""
    limits: PreviewLimits
    needs_second: bool
    threshold: int

    @property
    def not_permitted(self) -> int:
        return max(self.matched - self.total, 0)

    @property
    def offline(self) -> int:
        return self.sent - self.online


@dataclass(frozen=True, slots=True)
class PreviewTarget:
    """Either a query or chosen terminals."""

    query: str
    terminals: Collection[int]

    def rows(self, at: datetime) -> QuerySet[Terminal]:
        """Raises QueryError."""
        if self.query:
            return Terminal.objects.filter(services.read_query(self.query).where(at))
        return Terminal.objects.filter(pk__in=self.terminals)


def preview_of(
    target: PreviewTarget, spec: CommandSpec, hours: JobHours, limits: PreviewLimits, *, to: User, at: datetime
) -> JobPreview:
    """Raises QueryError."""
    rows = target.rows(at)
    members = services.allowed(rows, spec, by=to)
    is_retired, can = Q(lifecycle=Lifecycle.RETIRED), offered(spec)
    sent = members.exclude(is_retired).filter(can)
    numbers = members.aggregate(
        total=Count("pk", distinct=True),
        retired=Count("pk", filter=is_retired, distinct=True),
        sent=Count("pk", filter=~is_retired & can, distinct=True),
        online=Count("pk", filter=~is_retired & can & Q(state__presence=Presence.ONLINE), distinct=True),
    )
    windows = maintenance.running(at)
    found = _Sites(sent, hours, spec, at)
    return JobPreview(
        matched=visible(rows, to=to).count(),
        total=numbers["total"],
        sent=numbers["sent"],
        unsupported=numbers["total"] - numbers["retired"] - numbers["sent"],
        retired=numbers["retired"],
        online=numbers["online"],
        in_maintenance=sent.filter(maintenance.in_scope(windows)).count() if windows else 0,
        elsewhere=found.elsewhere,
        sites=found.shown,
        number_of_sites=len(found.numbers),
        open_sites=found.number_open,
        last_lanes=found.last_lanes(),
        takes_s=_takes_s([row[4] for row in found.numbers], spec, limits),
        limits=limits,
        needs_second=spec.is_dangerous and 0 < settings.APPROVAL_TERMINALS < numbers["total"],
        threshold=settings.APPROVAL_TERMINALS,
    )


def offered(spec: CommandSpec) -> Q:
    """The terminals that are offered the command, as `tms.commands.catalogue.Able` decides for one."""
    condition = Q()
    if spec.kinds:
        condition &= Q(kind__in=spec.kinds)
    if spec.models:
        condition &= Q(model__in=spec.models)
    padded = TerminalCapabilities.objects.annotate(
        padded=Concat(Value("\n"), "names", Value("\n"), output_field=TextField())
    )
    naming = Q(pk__in=padded.filter(padded__contains=f"\n{spec.name}\n").values("terminal"))
    if spec.is_builtin:
        return condition & (naming | ~Q(pk__in=TerminalCapabilities.objects.values("terminal")))
    return condition & naming


def _takes_s(by_site: Collection[int], spec: CommandSpec, limits: PreviewLimits) -> float | None:
    """`by_site`: the number of terminals at each. Neither guards nor hours are foreseen."""
    answer_s = _answer_s(spec)
    if answer_s is None or not by_site:
        return None
    rounds = math.ceil(sum(by_site) / limits.at_once)
    if limits.per_site:
        rounds = max(rounds, math.ceil(max(by_site) / limits.per_site))
    # The clock takes an answer, and sends to the next terminal, at its next pass.
    takes_s = max(rounds * (answer_s + runner.PASS_S), sum(by_site) * runner.PASS_S / runner.CANDIDATES)
    return takes_s if takes_s < A_MINUTE else math.ceil(takes_s / A_MINUTE) * A_MINUTE


def _answer_s(spec: CommandSpec) -> float | None:
    """The mean time until terminals answered the command in the last runs; None if there were no answers."""
    runs = JobRun.objects.filter(job__command=spec.name, ended_at__isnull=False).order_by("-pk")
    done = Item.objects.filter(run__in=list(runs.values_list("pk", flat=True)[:TIMED_RUNS]), state=ItemState.DONE)
    times = done.order_by().values_list("command__sent_at", "command__answered_at")[:TIMED_ITEMS]
    took = [(until - since).total_seconds() for since, until in times if since and until]
    return sum(took) / len(took) if took else None


class _Sites:
    """The sites of a job: how many terminals at each, and what their hours and lanes mean for it."""

    def __init__(self, sent: QuerySet[Terminal], hours: JobHours, spec: CommandSpec, at: datetime) -> None:
        self._sent, self._hours, self._spec, self._at = sent, hours, spec, at
        columns = ("site", "site__code", "site__name", "site__name_ja")
        rows = sent.order_by().values_list(*columns).annotate(number=Count("pk", distinct=True))
        self.numbers = sorted(rows, key=lambda row: (-row[4], row[1]))
        self._is_looked_at = len(self.numbers) <= MAX_SITES
        looked_at = self.numbers if self._is_looked_at else self.numbers[:SHOWN_SITES]
        self._hours_of = hours_of([row[0] for row in looked_at])
        self._open = {pk for pk, found in self._hours_of.items() if found.is_open(at)}

    @property
    def number_open(self) -> int | None:
        return len(self._open) if self._is_looked_at else None

    @property
    def elsewhere(self) -> int:
        if self._hours not in (JobHours.OPEN, JobHours.CLOSED) or not self._is_looked_at:
            return 0
        wants_open = self._hours == JobHours.OPEN
        return sum(row[4] for row in self.numbers if (row[0] in self._open) is not wants_open)

    @property
    def shown(self) -> list[PreviewSite]:
        is_japanese = get_language() == "ja"
        return [
            PreviewSite(
                code,
                (name_ja if is_japanese else "") or name,
                number,
                pk in self._open,
                self._hours_of[pk].next_change(self._at),
            )
            for pk, code, name, name_ja, number in self.numbers[:SHOWN_SITES]
        ]

    def last_lanes(self) -> LastLanes | None:
        """None if the command disturbs nobody, or there are too many terminals to look at."""
        if not self._spec.is_dangerous or sum(row[4] for row in self.numbers) > MAX_LANES:
            return None
        situation = runner.situation_at([row[0] for row in self.numbers], self._hours, is_dangerous=True, at=self._at)
        alone = {
            next(iter(terminals))
            for (site, _kind), terminals in situation.working.items()
            if site in situation.open_sites and len(terminals) == 1
        }
        taken = self._sent.filter(pk__in=alone).order_by().values_list("pk", "site").distinct()
        found = list(taken)
        return LastLanes(len({site for _pk, site in found}), len(found))
