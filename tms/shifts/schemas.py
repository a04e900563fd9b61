"""REST schemas of the shift digest, its notes and its sign-offs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple, Self

from pydantic import Field

from tms.accounts.display_names import Name
from tms.rest_base.schemas import ResponseSchema
from tms.shifts.digest import digest as shifts


class CountSchema(ResponseSchema):
    total: int
    by_severity: dict[str, int]


class TotalsSchema(ResponseSchema):
    """Totals of the period, including what the lists omit."""

    opened: CountSchema
    closed: CountSchema
    open: int = Field(description="Unresolved at the end; incidents count as one.")
    unacknowledged: int = Field(description="Of these, the unacknowledged ones.")


class IncidentLineSchema(ResponseSchema):
    incident: int
    title: str
    severity: str
    opened_at: datetime
    resolved_at: datetime | None = Field(description="Null if unresolved at the end.")
    by: str | None = Field(description="Who had acknowledged it by then.")
    comment: str


class OpenAlertLineSchema(ResponseSchema):
    alert: int
    severity: str
    site: str
    rule: str
    uid: str
    label: str
    opened_at: datetime
    state: str
    by: str | None = Field(description="Display name of the person who acknowledged or snoozed it.")
    until: datetime | None
    contract: str
    comment: str
    is_suppressed: bool = Field(description="It was not notified when it opened, because of maintenance.")


class ChangeLineSchema(ResponseSchema):
    severity: str
    site: str
    code: str = Field(description="Site code.")
    rule: str
    rule_id: int
    opened: int
    closed: int
    open: int
    terminals: int
    suppressed: int = Field(description="Of those opened, how many were not notified because of maintenance.")


class ActionLineSchema(ResponseSchema):
    at: datetime
    kind: str
    by: str
    to: str | None
    comment: str
    alert: int = Field(description="The first of the alerts.")
    site: str
    rule: str
    uid: str
    number: int = Field(description="Number of alerts.")


class MaintenanceLineSchema(ResponseSchema):
    window: int
    since: datetime
    until: datetime
    note: str
    by: str | None
    covers: list[str]
    terminals: int


class NoteSchema(ResponseSchema):
    id: int
    at: datetime
    by: str | None
    text: str
    is_edited: bool


class SignOffSchema(ResponseSchema):
    """The next shift read the digest from `since` to `until`, and took over."""

    at: datetime
    by: str | None
    since: datetime
    until: datetime


class DigestSchema(ResponseSchema):
    """Names of sites and rules are in the language of the request."""

    since: datetime
    until: datetime
    totals: TotalsSchema
    incidents: list[IncidentLineSchema]
    open: list[OpenAlertLineSchema] = Field(description="Outside of unresolved incidents.")
    changes: list[ChangeLineSchema] = Field(description="One per rule and site.")
    hidden_changes: int
    actions: list[ActionLineSchema]
    hidden_actions: int
    maintenance: list[MaintenanceLineSchema] = Field(description="Maintenance within the period.")
    upcoming_maintenance: list[MaintenanceLineSchema] = Field(
        description="Maintenance in the 24 hours after the period."
    )
    notes: list[NoteSchema]
    sign_offs: list[SignOffSchema] = Field(description="Of digests that overlap the period, newest first.")

    @classmethod
    def of(cls, digest: shifts.ShiftDigest) -> Self:
        totals = digest.totals
        return cls(
            since=digest.since,
            until=digest.until,
            totals=TotalsSchema(
                opened=_count(totals.opened),
                closed=_count(totals.closed),
                open=totals.open,
                unacknowledged=totals.unacknowledged,
            ),
            incidents=[IncidentLineSchema(incident=one.pk, **_plain(one)) for one in digest.incidents],
            open=[OpenAlertLineSchema(alert=one.pk, **_plain(one)) for one in digest.open],
            changes=_all(ChangeLineSchema, digest.changes),
            hidden_changes=digest.hidden_changes,
            actions=_all(ActionLineSchema, digest.actions),
            hidden_actions=digest.hidden_actions,
            maintenance=_all(MaintenanceLineSchema, digest.maintenance),
            upcoming_maintenance=_all(MaintenanceLineSchema, digest.upcoming_maintenance),
            notes=[NoteSchema(id=note.pk, **_plain(note)) for note in digest.notes],
            sign_offs=_all(SignOffSchema, digest.sign_offs),
        )


def _count(number: shifts.SeverityCount) -> CountSchema:
    return CountSchema(total=number.total, by_severity=dict(number.by_severity))


def _all[Schema: ResponseSchema](schema: type[Schema], lines: Iterable[NamedTuple]) -> list[Schema]:
    return [schema(**_plain(line)) for line in lines]


def _plain(line: NamedTuple) -> dict[str, Any]:
    """People by their display name."""
    return {name: value.text if isinstance(value, Name) else value for name, value in line._asdict().items()}
