from datetime import datetime
from typing import Self

from pydantic import Field

from tms.accounts.models import User
from tms.alerts import models
from tms.alerts.models import AlertState, TransitionKind
from tms.fleet.schemas import SiteMark
from tms.lib.severity import Severity
from tms.rest.schemas import ResponseSchema


class RuleMark(ResponseSchema):
    id: int
    name: str = Field(examples=["Overheating"])


class TerminalMark(ResponseSchema):
    uid: str = Field(examples=["SJK-KSK-03"])
    label: str = Field(examples=["Lane 3"])


class Alert(ResponseSchema):
    """As in the events that webhooks get, and more. People are told by their usernames."""

    id: int
    rule: RuleMark
    terminal: TerminalMark
    site: SiteMark
    incident: int | None = Field(description="Of which it is a part.")
    severity: Severity
    state: AlertState
    value: float | None = Field(description="The one that made it as severe as it is.")
    version: int = Field(description="Grows with each step that changes what a person decides about.")
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    contract: str = Field(description="`recovery`, `time` or `worse`; empty: nobody has it.")
    until: datetime | None = Field(description="When the acknowledgement or the snooze ends by itself.")
    is_stale: bool = Field(description="Acknowledged too long.")
    is_flapping: bool = Field(description="It opens and recovers again and again, and stands until it is calm.")
    claimed_by: str | None = Field(description="Who takes a look, while nobody has acknowledged it.")
    claimed_until: datetime | None
    first_acknowledged_at: datetime | None = Field(description="When somebody acknowledged it first.")
    assigned_to: str | None = Field(description="Who is asked to take it, and has not yet.")
    comment: str = Field(description="The last that anybody said of it.")
    resolved_at: datetime | None

    @classmethod
    def of(cls, alert: models.Alert) -> Self:
        return cls(
            id=alert.pk,
            rule=RuleMark(id=alert.rule_id, name=alert.rule.name),
            terminal=TerminalMark(uid=alert.terminal.uid, label=alert.terminal.label),
            site=SiteMark.of(alert.terminal.site),
            incident=alert.incident_id,
            acknowledged_by=username(alert.acknowledged_by),
            assigned_to=username(alert.assigned_to),
            claimed_by=username(alert.claimed_by),
            **{name: getattr(alert, name) for name in COPIED},
        )


COPIED = (
    *("severity", "state", "value", "version", "opened_at", "acknowledged_at", "contract", "until", "is_stale"),
    *("comment", "resolved_at", "is_flapping", "claimed_until", "first_acknowledged_at"),
)


class TransitionSchema(ResponseSchema):
    """One step in the life of an alert. Severity and contract are as they stood afterwards."""

    kind: TransitionKind
    at: datetime
    by: str | None = Field(description="Null: TMS itself.")
    to: str | None = Field(description="Whom it was assigned to, or who is reminded.")
    comment: str
    severity: str
    before: str = Field(description="The severity before it got worse or eased.")
    contract: str
    until: datetime | None

    @classmethod
    def of(cls, step: models.Transition) -> Self:
        copied = ("kind", "at", "comment", "severity", "before", "contract", "until")
        return cls(by=username(step.by), to=username(step.to), **{name: getattr(step, name) for name in copied})


class AlertWithHistory(Alert):
    history: list[TransitionSchema] = Field(description="Oldest first.")


def username(person: User | None) -> str | None:
    return person.username if person else None
