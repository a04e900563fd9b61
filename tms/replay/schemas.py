"""REST schemas of a replay."""

from collections import Counter
from datetime import datetime
from typing import Self

from pydantic import Field

from tms.alerts.correlation.schemas import IncidentSchema
from tms.alerts.models import AlertState
from tms.alerts.schemas import AlertSchema
from tms.lib.severity import RANKS
from tms.replay.state import AlertFacts, Moment, MomentLimit
from tms.rest_base.schemas import ResponseSchema


class LimitSchema(ResponseSchema):
    """Something that cannot be known at the instant."""

    code: str = Field(description="`history`, `readings`, `members` or `fleet`.")
    text: str = Field(description="In the language of the request.")
    since: datetime | None = Field(description="It is known exactly from then on.")

    @classmethod
    def of(cls, limit: MomentLimit) -> Self:
        return cls(code=limit.code, text=str(limit.text), since=limit.since)


class ReplaySchema(ResponseSchema):
    """The fleet at a past instant, as far as the person sees it."""

    at: datetime
    earliest: datetime = Field(description="The first instant that can be replayed.")
    terminals: dict[str, int] = Field(description="Number of terminals by presence.")
    alerts: dict[str, int] = Field(description="Number of unresolved alerts by severity.")
    unacknowledged: dict[str, int] = Field(description="Of these, the unacknowledged ones.")
    incidents: list[IncidentSchema] = Field(description="The unresolved ones, oldest first. `version` is 0.")
    open: list[AlertSchema] = Field(
        description="Unresolved alerts outside of incidents, at most 200, the most severe and then the oldest first. "
        "`version` is 0."
    )
    in_maintenance: int = Field(description="Number of terminals.")
    limits: list[LimitSchema]

    @classmethod
    def of(cls, moment: Moment, *, earliest: datetime, most: int) -> Self:
        presences: Counter[str] = Counter()
        for (_, presence, _), number in moment.presence_counts.items():
            presences[presence] += number
        return cls(
            at=moment.at,
            earliest=earliest,
            terminals=dict(presences),
            alerts=dict(Counter(one.severity for one in moment.facts)),
            unacknowledged=dict(Counter(one.severity for one in moment.facts if one.state == AlertState.OPEN)),
            incidents=[IncidentSchema.of(incident) for incident in moment.incidents],
            open=[AlertSchema.of(alert) for alert in moment.alerts(_first(moment, most))],
            in_maintenance=moment.maintenance_count,
            limits=[LimitSchema.of(limit) for limit in moment.limits],
        )


def _first(moment: Moment, most: int) -> list[int]:
    outside = [one for one in moment.facts if one.incident is None]
    return [one.pk for one in sorted(outside, key=_urgency)[:most]]


def _urgency(one: AlertFacts) -> tuple[int, datetime, int]:
    return RANKS[one.severity], one.opened_at, one.pk
