from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple, Self

from pydantic import Field

from tms.accounts.display_names import Name
from tms.rest.schemas import ResponseSchema
from tms.shifts.digest import digest as shifts


class Count(ResponseSchema):
    total: int
    by_severity: dict[str, int]


class Totals(ResponseSchema):
    """Of everything, also of what the lists leave out."""

    opened: Count
    closed: Count
    standing: int = Field(description="Not over at the end.")
    nobody: int = Field(description="Of these, those that nobody had.")


class FoldedLine(ResponseSchema):
    incident: int
    title: str
    severity: str
    opened_at: datetime
    resolved_at: datetime | None = Field(description="Null: it was not over at the end.")
    by: str | None = Field(description="Who had taken it by then.")
    said: str


class Standing(ResponseSchema):
    alert: int
    severity: str
    place: str
    rule: str
    uid: str
    label: str
    opened_at: datetime
    state: str
    by: str | None = Field(description="Who has it, as a board names them.")
    until: datetime | None
    contract: str
    said: str


class Change(ResponseSchema):
    severity: str
    place: str
    code: str = Field(description="Of the site.")
    rule: str
    rule_id: int
    opened: int
    closed: int
    standing: int
    terminals: int


class Deed(ResponseSchema):
    at: datetime
    kind: str
    by: str
    to: str | None
    comment: str
    alert: int = Field(description="The first of them.")
    place: str
    rule: str
    uid: str
    number: int = Field(description="To how many alerts at once.")


class Work(ResponseSchema):
    window: int
    since: datetime
    until: datetime
    note: str
    by: str | None
    covers: list[str]
    terminals: int


class Note(ResponseSchema):
    id: int
    at: datetime
    by: str | None
    text: str
    is_edited: bool


class Digest(ResponseSchema):
    """Names of sites and rules are in the language that is asked for."""

    since: datetime
    until: datetime
    totals: Totals
    incidents: list[FoldedLine]
    standing: list[Standing]
    changes: list[Change] = Field(description="One for each rule and site.")
    hidden_changes: int
    deeds: list[Deed]
    hidden_deeds: int
    done: list[Work] = Field(description="Maintenance within the span.")
    ahead: list[Work] = Field(description="And in the day after it.")
    notes: list[Note]

    @classmethod
    def of(cls, digest: shifts.Digest) -> Self:
        totals = digest.totals
        return cls(
            since=digest.since,
            until=digest.until,
            totals=Totals(
                opened=_count(totals.opened),
                closed=_count(totals.closed),
                standing=totals.standing,
                nobody=totals.nobody,
            ),
            incidents=[FoldedLine(incident=one.pk, **_plain(one)) for one in digest.incidents],
            standing=[Standing(alert=one.pk, **_plain(one)) for one in digest.standing],
            changes=_all(Change, digest.changes),
            hidden_changes=digest.hidden_changes,
            deeds=_all(Deed, digest.deeds),
            hidden_deeds=digest.hidden_deeds,
            done=_all(Work, digest.done),
            ahead=_all(Work, digest.ahead),
            notes=[Note(id=note.pk, **_plain(note)) for note in digest.notes],
        )


def _count(number: shifts.SeverityCount) -> Count:
    return Count(total=number.total, by_severity=dict(number.by_severity))


def _all[Shape: ResponseSchema](shape: type[Shape], lines: Iterable[NamedTuple]) -> list[Shape]:
    return [shape(**_plain(line)) for line in lines]


def _plain(line: NamedTuple) -> dict[str, Any]:
    """People by what a board calls them."""
    return {name: value.text if isinstance(value, Name) else value for name, value in line._asdict().items()}
