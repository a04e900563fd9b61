"""REST schemas of alerts."""

from collections.abc import Collection
from datetime import datetime
from typing import Self

from pydantic import Field

from tms.accounts.models import User
from tms.alerts import models
from tms.alerts.models import AlertState, TransitionKind
from tms.fleet.schemas import SiteReferenceSchema
from tms.lib.severity import Severity
from tms.rest_base.pagination import Page
from tms.rest_base.schemas import ResponseSchema


class RuleReferenceSchema(ResponseSchema):
    id: int
    name: str = Field(examples=["Overheating"])


class TerminalReferenceSchema(ResponseSchema):
    uid: str = Field(examples=["SJK-KSK-03"])
    label: str = Field(examples=["Lane 3"])


class AlertSchema(ResponseSchema):
    """An alert as in webhook events, with more fields. People are given by username."""

    id: int
    rule: RuleReferenceSchema
    terminal: TerminalReferenceSchema
    site: SiteReferenceSchema
    incident: int | None = Field(description="Incident that the alert belongs to, if you see all of its alerts.")
    severity: Severity
    state: AlertState
    value: float | None = Field(description="Value that caused the current severity.")
    version: int = Field(description="Increases with each change that affects an operator's decision.")
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    contract: str = Field(description="`recovery`, `time` or `worse`; empty if unacknowledged.")
    until: datetime | None = Field(description="When the acknowledgement or snooze expires.")
    is_stale: bool = Field(description="Stale acknowledgement.")
    is_flapping: bool = Field(description="Opens and recovers repeatedly; kept as one alert until stable.")
    claimed_by: str | None = Field(description="Who claimed it, while it is unacknowledged.")
    claimed_until: datetime | None
    first_acknowledged_at: datetime | None = Field(description="When it was first acknowledged.")
    assigned_to: str | None = Field(description="Assignee who has not acknowledged it yet.")
    comment: str = Field(description="Latest comment.")
    resolved_at: datetime | None

    @classmethod
    def of(cls, alert: models.Alert, *, incidents: Collection[int] | None = None) -> Self:
        """`incidents`: those that the reader sees, None for all."""
        is_hidden = incidents is not None and alert.incident_id not in incidents
        return cls(
            id=alert.pk,
            rule=RuleReferenceSchema(id=alert.rule_id, name=alert.rule.name),
            terminal=TerminalReferenceSchema(uid=alert.terminal.uid, label=alert.terminal.label),
            site=SiteReferenceSchema.of(alert.terminal.site),
            incident=None if is_hidden else alert.incident_id,
            acknowledged_by=username(alert.acknowledged_by),
            assigned_to=username(alert.assigned_to),
            claimed_by=username(alert.claimed_by),
            **{name: getattr(alert, name) for name in COPIED},
        )


class AlertPageSchema(Page[AlertSchema]): ...


COPIED = (
    *("severity", "state", "value", "version", "opened_at", "acknowledged_at", "contract", "until", "is_stale"),
    *("comment", "resolved_at", "is_flapping", "claimed_until", "first_acknowledged_at"),
)


class TransitionSchema(ResponseSchema):
    """One transition of an alert. Severity and contract are those after it."""

    kind: TransitionKind
    at: datetime
    by: str | None = Field(description="Null for TMS itself.")
    to: str | None = Field(description="Assignee, or person reminded.")
    comment: str
    severity: str
    before: str = Field(description="Severity before it worsened or improved.")
    contract: str
    until: datetime | None

    @classmethod
    def of(cls, step: models.Transition) -> Self:
        copied = ("kind", "at", "comment", "severity", "before", "contract", "until")
        return cls(by=username(step.by), to=username(step.to), **{name: getattr(step, name) for name in copied})


class AlertWithHistorySchema(AlertSchema):
    history: list[TransitionSchema] = Field(description="Oldest first.")


def username(person: User | None) -> str | None:
    return person.username if person else None
