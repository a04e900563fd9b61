"""REST schemas of incidents."""

from datetime import datetime
from typing import Self

from pydantic import Field

from tms.alerts import models
from tms.alerts.models import IncidentState, IncidentTransitionKind
from tms.alerts.models.factor import Factor
from tms.alerts.schemas import username
from tms.lib.severity import Severity
from tms.rest_base.pagination import Page
from tms.rest_base.schemas import ResponseSchema


class IncidentSchema(ResponseSchema):
    """Alerts of terminals that were lost together, or at which the same rule triggered.

    `GET /alerts?incident=…` lists the alerts.
    """

    id: int
    title: str = Field(description="One-line summary.")
    factor: Factor = Field(description="Common factor of its terminals.")
    rule: int | None = Field(description="The rule that triggered at its terminals; null if they were lost together.")
    name: str = Field(description="Name of the common site, group, model, firmware or node.")
    site: str | None = Field(description="Site code; null if it affects several sites.")
    site_count: int = Field(description="Number of sites that were lost together; 0 if it is not about sites.")
    merged_into: int | None = Field(description="The incident of many sites to which its alerts belong now.")
    common_factor: str = Field(description="Further common factor, as text; empty if there is none.")
    severity: Severity
    state: IncidentState
    version: int = Field(description="Increases with each change that affects an operator's decision.")
    size: int = Field(description="Number of terminals with the common factor.")
    lost: int = Field(description="Number of terminals that were lost, or at which the rule triggered.")
    joined_count: int = Field(description="Number of alerts that ever belonged to it.")
    open_count: int = Field(description="Number of its unresolved alerts.")
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None = Field(description="Who acknowledged or snoozed it.")
    assigned_to: str | None = Field(description="Who was asked to acknowledge it, while it is unacknowledged.")
    claimed_by: str | None = Field(description="Who claimed it, while it is unacknowledged.")
    claimed_until: datetime | None
    contract: str
    until: datetime | None
    comment: str
    resolved_at: datetime | None

    @classmethod
    def of(cls, incident: models.Incident) -> Self:
        return cls(
            id=incident.pk,
            factor=incident.named_factor,
            rule=incident.rule_id,
            merged_into=incident.merged_into_id,
            common_factor=incident.common_factor_text,
            site=incident.site.code if incident.site else None,
            acknowledged_by=username(incident.acknowledged_by),
            assigned_to=username(incident.assigned_to),
            claimed_by=username(incident.claimed_by),
            state=incident.shown_state,
            **{name: getattr(incident, name) for name in COPIED},
        )


class IncidentPageSchema(Page[IncidentSchema]): ...


COPIED = (
    *("title", "name", "site_count", "severity", "version", "size", "lost", "joined_count", "open_count"),
    *("opened_at", "acknowledged_at", "claimed_until", "contract", "until", "comment", "resolved_at"),
)


class IncidentTransitionSchema(ResponseSchema):
    kind: IncidentTransitionKind
    at: datetime
    by: str | None = Field(description="Null for TMS itself.")
    to: str | None = Field(description="The assignee.")
    comment: str
    number: int = Field(description="Number of alerts that joined, recovered or became separate.")
    open_count: int
    severity: Severity
    contract: str
    until: datetime | None

    @classmethod
    def of(cls, step: models.IncidentTransition) -> Self:
        copied = ("kind", "at", "comment", "number", "open_count", "severity", "contract", "until")
        return cls(by=username(step.by), to=username(step.to), **{name: getattr(step, name) for name in copied})


class IncidentWithHistorySchema(IncidentSchema):
    history: list[IncidentTransitionSchema] = Field(description="Oldest first.")
