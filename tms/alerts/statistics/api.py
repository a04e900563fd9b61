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
from tms.rest_base.operation import ApiRequest
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Instant, RequestSchema, ResponseSchema

router = ApiRouter("alerts")
DEFAULT, MAX_PERIOD = timedelta(days=30), timedelta(days=366)


class ResponseTimesQuery(RequestSchema):
    since: Instant | None = Field(None, description="Default: 30 days before `until`.")
    until: Instant | None = Field(None, description="Default: now.")


class SpreadSchema(ResponseSchema):
    number: int
    mean_s: float | None
    median_s: float | None
    p90_s: float | None


class ResponseTimesSchema(ResponseSchema):
    by: Literal["all", "severity", "site"] = Field(description="All alerts, one severity, or one site.")
    key: str = Field(description="Severity or site code; empty for all alerts.")
    opened: int
    suppressed: int = Field(description="Suppressed when opened; excluded from both times.")
    resolved_unacknowledged: int = Field(description="Resolved without acknowledgement.")
    unacknowledged: int = Field(description="Unresolved and never acknowledged.")
    time_to_acknowledge: SpreadSchema = Field(description="Time to acknowledge; its mean is the MTTA.")
    time_to_resolve: SpreadSchema = Field(description="Time to resolve; its mean is the MTTR.")

    @classmethod
    def of(cls, line: response_times.ResponseTimes, key: str) -> Self:
        spreads = {
            name: SpreadSchema(**getattr(line, name)._asdict()) for name in ("time_to_acknowledge", "time_to_resolve")
        }
        return cls(**line._asdict() | spreads | {"by": line.by.value, "key": key})


@router.get("/alert-times", summary="Read response times", response=list[ResponseTimesSchema])
def read_alert_times(request: ApiRequest, query: Query[ResponseTimesQuery]) -> Sequence[ResponseTimesSchema]:
    """Times to acknowledge (MTTA) and to resolve (MTTR) of alerts that opened in the period, 366 days at most."""
    until = query.until or timezone.now()
    since = query.since or until - DEFAULT
    if not timedelta(0) < until - since <= MAX_PERIOD:
        raise unreadable(RequestFault("?since", "must be before `until`, by at most 366 days"))
    alerts = visible(models.Alert.objects.filter(opened_at__gte=since, opened_at__lt=until), to=request.person)
    lines = response_times.times(alerts)
    sites = visible(Site.objects.all(), to=request.person)
    codes = {str(pk): code for pk, code in sites.values_list("pk", "code")}
    return [
        ResponseTimesSchema.of(line, codes.get(str(line.key), "") if line.by is By.SITE else str(line.key))
        for line in lines
    ]
