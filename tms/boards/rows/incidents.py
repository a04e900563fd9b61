"""Rows of incidents."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, Self

from django.db.models import Q
from django.utils.translation import gettext

from tms.accounts.display_names import Name, name_of
from tms.alerts.models import Incident, IncidentState, IncidentTransition, IncidentTransitionKind
from tms.alerts.models import factor as factors
from tms.alerts.models.factor import Factor
from tms.boards.rows.buttons import Buttons, buttons_of
from tms.boards.rows.common import reopening
from tms.boards.rows.viewers import Viewer, viewers
from tms.fleet.sites.names import Bilingual

MAX_ROWS = 50
"""Rows of incidents on one page."""


class IncidentTransitionRow(NamedTuple):
    at: datetime
    kind: str
    by: Name | None
    comment: str
    number: int
    open_count: int
    severity: str
    contract: str
    until: datetime | None
    to: Name | None = None
    """The assignee."""


@dataclass(frozen=True, slots=True)
class IncidentRow:
    pk: int
    factor: str
    name: Bilingual
    site: str
    """Code of the site; empty for several sites."""
    severity: str
    state: str
    opened_at: datetime
    resolved_at: datetime | None
    lost: int
    size: int
    """Number of terminals with the common factor; 0 if it must not be shown."""
    joined_count: int
    resolved_count: int
    common: tuple[str, str, int]
    """Further common factors: factor, name, and number of members."""
    acknowledged_by: Name | None
    acknowledged_at: datetime | None
    contract: str
    until: datetime | None
    comment: str
    version: int
    transitions: tuple[IncidentTransitionRow, ...]
    rule: Bilingual | None = None
    """The rule of its alerts, if they were correlated because of it."""
    site_count: int = 0
    """Number of sites that were lost together."""
    merged_into: int | None = None
    claimed_by: Name | None = None
    claimed_until: datetime | None = None
    here: tuple[Viewer, ...] = ()
    """Who is viewing it."""
    is_past: bool = False
    """Whether the row shows a past instant: there is nothing to do."""

    assigned_to: Name | None = None
    may_be_resolved_by_hand: bool = False

    # Used by the partials of alerts: nobody is reminded of an incident.
    is_stale = False

    subject = "incident"

    @property
    def element(self) -> str:
        return f"incident-{self.pk}"

    @property
    def title(self) -> str:
        rule = str(self.rule) if self.rule else ""
        numbers = {"lost": self.lost, "size": self.size, "sites": self.site_count}
        return factors.title(Factor(self.factor), rule=rule, name=str(self.name), **numbers)

    @property
    def suspect(self) -> str:
        """What explains that its sites were lost together; empty if nothing does."""
        if self.factor == Factor.FLEET:
            return str(Factor(self.common[0]).label).capitalize() if self.common[0] else ""
        return gettext("%(factor)s %(name)s") % {
            "factor": str(Factor(self.factor).label).capitalize(),
            "name": self.name,
        }

    @property
    def common_factor_text(self) -> str:
        factor, name, number = self.common
        return factors.further_text(Factor(factor), name=name, number=number, lost=self.lost) if factor else ""

    @property
    def open_count(self) -> int:
        return self.joined_count - self.resolved_count

    @property
    def is_open(self) -> bool:
        return self.state == IncidentState.OPEN

    @property
    def is_claimed(self) -> bool:
        return self.is_open and self.claimed_by is not None

    @property
    def is_acknowledged(self) -> bool:
        return self.state == IncidentState.ACKNOWLEDGED

    @property
    def is_snoozed(self) -> bool:
        return self.state == IncidentState.SNOOZED

    @property
    def put_off(self) -> IncidentTransitionRow | None:
        """Who snoozed it."""
        found = (row for row in reversed(self.transitions) if row.kind == IncidentTransitionKind.SNOOZED)
        return next(found, None)

    @property
    def is_resolved(self) -> bool:
        return self.state == IncidentState.RESOLVED

    @property
    def reopened(self) -> IncidentTransitionRow | None:
        """Why it was reopened, if nobody has acknowledged it since."""
        return reopening(self.transitions, IncidentTransitionKind)

    @property
    def first_acknowledgement(self) -> IncidentTransitionRow | None:
        return next((row for row in self.transitions if row.kind == IncidentTransitionKind.ACKNOWLEDGED), None)

    @property
    def acknowledged_after_s(self) -> float | None:
        """Seconds until the first acknowledgement."""
        first = self.first_acknowledgement
        return (first.at - self.opened_at).total_seconds() if first else None

    @property
    def lasted_s(self) -> float | None:
        """Seconds until it was resolved."""
        return (self.resolved_at - self.opened_at).total_seconds() if self.resolved_at else None

    def without_size(self) -> Self:
        """The row for people who see its alerts, but not all terminals with the common factor."""
        return replace(self, size=0, lost=min(self.lost, self.joined_count))

    @property
    def buttons(self) -> Buttons:
        return buttons_of(self)


def incident_rows(pks: Collection[int]) -> dict[int, IncidentRow]:
    """Rows of these incidents, in three queries; one more if they have viewers."""
    people_of = ("acknowledged_by", "claimed_by", "assigned_to")
    rows = Incident.objects.filter(pk__in=pks).select_related("site", "group", "rule", *people_of)
    by_hand = set(Incident.objects.filter(pk__in=pks).unresolved().resolvable_by_hand().values_list("pk", flat=True))
    transitions, people = _transitions_of(Q(incident__in=pks)), viewers(f"incident-{pk}" for pk in pks)
    return {
        row.pk: replace(
            _row(row, transitions.get(row.pk, ()), people.get(f"incident-{row.pk}", ())),
            may_be_resolved_by_hand=row.pk in by_hand,
        )
        for row in rows
    }


def past_incident_rows(incidents: Collection[Incident], *, at: datetime) -> dict[int, IncidentRow]:
    """Rows of incidents that have the values of a past instant, in one query."""
    transitions = _transitions_of(Q(incident__in=[incident.pk for incident in incidents], at__lte=at))
    rows = (_row(incident, transitions.get(incident.pk, ()), ()) for incident in incidents)
    return {row.pk: replace(row, is_past=True) for row in rows}


def _row(incident: Incident, transitions: tuple[IncidentTransitionRow, ...], people: tuple[Viewer, ...]) -> IncidentRow:
    site, person, claimant = incident.site, incident.acknowledged_by, incident.claimed_by
    return IncidentRow(
        pk=incident.pk,
        factor=incident.named_factor,
        rule=Bilingual(incident.rule.name, incident.rule.name_ja) if incident.rule else None,
        site_count=incident.site_count,
        merged_into=incident.merged_into_id,
        name=Bilingual(site.name, site.name_ja) if site else Bilingual(incident.name, ""),
        site=site.code if site else "",
        severity=incident.severity,
        state=incident.shown_state,
        opened_at=incident.opened_at,
        resolved_at=incident.resolved_at,
        lost=incident.lost,
        size=incident.size,
        joined_count=incident.joined_count,
        resolved_count=incident.resolved_count,
        common=(incident.common_factor, incident.common_name, incident.common_count),
        acknowledged_by=name_of(person) if person and not incident.by_snooze else None,
        acknowledged_at=incident.acknowledged_at,
        contract=incident.contract,
        until=incident.until,
        comment=incident.comment,
        version=incident.version,
        transitions=transitions,
        claimed_by=name_of(claimant) if claimant else None,
        claimed_until=incident.claimed_until,
        assigned_to=name_of(incident.assigned_to) if incident.assigned_to else None,
        here=people,
    )


def _transitions_of(chosen: Q) -> dict[int, tuple[IncidentTransitionRow, ...]]:
    transitions: dict[int, tuple[IncidentTransitionRow, ...]] = {}
    for row in IncidentTransition.objects.filter(chosen).select_related("by", "to"):
        transition = IncidentTransitionRow(
            row.at,
            row.kind,
            name_of(row.by) if row.by else None,
            row.comment,
            row.number,
            row.open_count,
            row.severity,
            row.contract,
            row.until,
            name_of(row.to) if row.to else None,
        )
        transitions[row.incident_id] = (*transitions.get(row.incident_id, ()), transition)
    return transitions
