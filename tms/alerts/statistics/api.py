"""How long it took until somebody was on alerts, and until they were over."""

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
    late_s: float | None = Field(description="Nine in ten were quicker.")


class Times(ResponseSchema):
    by: Literal["all", "severity", "site"] = Field(description="Of all, of one severity, or of one site.")
    key: str = Field(description="The severity, or the code of the site; empty of all.")
    opened: int
    quiet: int = Field(description="Nobody was told when they opened; they count for no time.")
    alone: int = Field(description="Over before anybody acknowledged.")
    waiting: int = Field(description="Not over, and nobody acknowledged yet.")
    acknowledged: Spread
    resolved: Spread

    @classmethod
    def of(cls, line: response_times.ResponseTimes, key: str) -> Self:
        spreads = {name: Spread(**getattr(line, name)._asdict()) for name in ("acknowledged", "resolved")}
        return cls(**line._asdict() | spreads | {"by": line.by.value, "key": key})


@router.get("/alert-times", summary="Read how long alerts took", response=list[Times])
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
