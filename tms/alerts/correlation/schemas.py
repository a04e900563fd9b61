from datetime import datetime
from typing import Self

from pydantic import Field

from tms.alerts import models
from tms.alerts.models import IncidentState, IncidentTransitionKind
from tms.alerts.models.factor import Factor
from tms.alerts.schemas import username
from tms.lib.severity import Severity
from tms.rest.schemas import ResponseSchema


class Incident(ResponseSchema):
    """Alerts of terminals that were lost together. `GET /alerts?incident=…` lists them."""

    id: int
    title: str = Field(description="In one line, for people.")
    factor: Factor = Field(description="What its terminals have in common.")
    name: str = Field(description="Of what they have in common: a site, a group, a model, a firmware, a node.")
    site: str | None = Field(description="Its code; null where it is of more than one.")
    common_factor: str = Field(description="What they have in common besides, for people; empty if nothing stands out.")
    severity: Severity
    state: IncidentState
    version: int = Field(description="Grows with each step that changes what a person decides about.")
    size: int = Field(description="How many terminals could have been lost.")
    lost: int = Field(description="How many were.")
    joined_count: int = Field(description="Alerts that ever belonged to it.")
    open_count: int = Field(description="How many of its alerts are unresolved.")
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    claimed_by: str | None = Field(description="Who takes a look, while nobody has acknowledged it.")
    claimed_until: datetime | None
    contract: str
    until: datetime | None
    comment: str
    resolved_at: datetime | None

    @classmethod
    def of(cls, incident: models.Incident) -> Self:
        return cls(
            id=incident.pk,
            common_factor=incident.common_factor_text,
            site=incident.site.code if incident.site else None,
            acknowledged_by=username(incident.acknowledged_by),
            claimed_by=username(incident.claimed_by),
            **{name: getattr(incident, name) for name in COPIED},
        )


COPIED = (
    *("title", "factor", "name", "severity", "state", "version", "size", "lost", "joined_count", "open_count"),
    *("opened_at", "acknowledged_at", "claimed_until", "contract", "until", "comment", "resolved_at"),
)


class IncidentTransitionSchema(ResponseSchema):
    kind: IncidentTransitionKind
    at: datetime
    by: str | None = Field(description="Null: TMS itself.")
    comment: str
    number: int = Field(description="How many alerts joined, recovered, or stand alone.")
    open_count: int
    severity: Severity
    contract: str
    until: datetime | None

    @classmethod
    def of(cls, step: models.IncidentTransition) -> Self:
        copied = ("kind", "at", "comment", "number", "open_count", "severity", "contract", "until")
        return cls(by=username(step.by), **{name: getattr(step, name) for name in copied})


class IncidentWithHistory(Incident):
    history: list[IncidentTransitionSchema] = Field(description="Oldest first.")
