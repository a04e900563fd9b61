"""Response times of alerts: MTTA and MTTR."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, Self

from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts.access import visible
from tms.alerts import models
from tms.alerts.statistics import response_times
from tms.alerts.statistics.response_times import By
from tms.fleet.models import Site
from tms.rest.operation import ApiRequest
from tms.rest.problems import Fault, unreadable
from tms.rest.router import ApiRouter
from tms.rest.schemas import Instant, RequestSchema, ResponseSchema

router = ApiRouter("alerts")
USUAL, LONGEST = timedelta(days=30), timedelta(days=366)


class Opened(RequestSchema):
    since: Instant | None = Field(None, description="30 days before the end, if it is not named.")
    until: Instant | None = Field(None, description="Now, if it is not named.")


class Spread(ResponseSchema):
    number: int
    mean_s: float | None
    median_s: float | None
    p90_s: float | None


class Times(ResponseSchema):
    by: Literal["all", "severity", "site"] = Field(description="Of all, of one severity, or of one site.")
    key: str = Field(description="The severity, or the code of the site; empty of all.")
    opened: int
    suppressed: int = Field(description="When they opened; excluded from the times, because nobody was notified.")
    resolved_unacknowledged: int = Field(description="Resolved without acknowledgement.")
    unacknowledged: int = Field(description="Unresolved, and not acknowledged yet.")
    time_to_acknowledge: Spread = Field(description="Its mean is the MTTA.")
    time_to_resolve: Spread = Field(description="Its mean is the MTTR.")

    @classmethod
    def of(cls, line: response_times.ResponseTimes, key: str) -> Self:
        spreads = {name: Spread(**getattr(line, name)._asdict()) for name in ("time_to_acknowledge", "time_to_resolve")}
        return cls(**line._asdict() | spreads | {"by": line.by.value, "key": key})


@router.get("/alert-times", summary="Read response times", response=list[Times])
def read_alert_times(request: ApiRequest, query: Query[Opened]) -> Sequence[Times]:
    """Of alerts that opened within at most 366 days."""
    until = query.until or timezone.now()
    since = query.since or until - USUAL
    if not timedelta(0) < until - since <= LONGEST:
        raise unreadable(Fault("?since", "it lies before `until`, by at most 366 days"))
    alerts = visible(models.Alert.objects.filter(opened_at__gte=since, opened_at__lt=until), to=request.person)
    lines = response_times.times(alerts)
    codes = {str(pk): code for pk, code in Site.objects.values_list("pk", "code")}
    return [Times.of(line, codes.get(str(line.key), "") if line.by is By.SITE else str(line.key)) for line in lines]
