"""REST operations for availability: the figures of a month, and the targets of sites."""

from typing import Literal, Self

from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts.access import demand, scope_of, visible
from tms.accounts.permissions import Permission
from tms.availability import targets
from tms.availability.losses import LossReason
from tms.availability.models import AvailabilityTarget
from tms.availability.report.figures import GroupBy, ReportArea
from tms.availability.report.months import Month
from tms.availability.report.report import AvailabilityRow, ReportReader, default_target, rows_by
from tms.fleet.models import Site
from tms.rest_base.found_rows import find
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import RequestSchema, ResponseSchema

router = ApiRouter("availability")
EDITING = Access(Permission.EDIT_SITES)


class AvailabilityQuery(RequestSchema):
    month: str = Field("", description="Such as 2026-10; default: the last month that is over.", max_length=7)
    by: Literal["site", "terminal", "kind", "model", "region"] = "site"
    site: str = Field("", description="Only this site, by its code.", max_length=8)
    region: str = Field("", description="Only sites of this region.", max_length=100)


class AvailabilitySchema(ResponseSchema):
    month: str
    by: str
    code: str = Field(description="Code of the site, UID of the terminal, or the kind, model or region.")
    counted_s: int = Field(description="Seconds within opening hours, without maintenance.")
    excluded_s: int = Field(description="Seconds of maintenance within opening hours.")
    lost_s: int
    lost: dict[str, int] = Field(description="Seconds by reason; reasons by which nothing was lost are left out.")
    parties: dict[str, int] = Field(description="Seconds by party.")
    percent: float | None = Field(description="Null if nothing counts.")
    target_percent: float

    @classmethod
    def of(cls, row: AvailabilityRow, *, month: Month, by: GroupBy) -> Self:
        found = row.totals
        return cls(
            month=str(month),
            by=by.value,
            code=row.code,
            counted_s=found.counted_s,
            excluded_s=found.excluded_s,
            lost_s=found.lost_s,
            lost={LossReason(loss).value: seconds for loss, seconds in found.lost.items()},
            parties={party.value: seconds for party, seconds in found.by_party().items()},
            percent=found.percent,
            target_percent=row.target,
        )


class TargetBody(RequestSchema):
    percent: float | None = Field(description="Null: that of this installation.", ge=0, le=100)


class TargetSchema(ResponseSchema):
    percent: float
    is_own: bool = Field(description="False: the target of this installation applies.")


@router.get("/availability", summary="Read the availability of a month", response=list[AvailabilitySchema])
def read_availability(request: ApiRequest, query: Query[AvailabilityQuery]) -> list[AvailabilitySchema]:
    """The lowest compared with its target first. A month that is not over contains the days until yesterday."""
    last = Month.of(timezone.localdate()).shifted(-1)
    month = Month.parsed(query.month) if query.month else last
    if month is None:
        raise unreadable(RequestFault("?month", "must be a month such as 2026-10"))
    by = GroupBy(query.by)
    rows = rows_by(month, ReportReader(scope_of(request.person)), ReportArea(query.region, query.site), by)
    return [AvailabilitySchema.of(row, month=month, by=by) for row in rows]


@router.get("/sites/{code}/availability-target", summary="Read the target of a site", response=TargetSchema)
def read_target(request: ApiRequest, code: str) -> TargetSchema:
    site = find(request, Site.objects.all(), code=code)
    own = visible(AvailabilityTarget.objects.filter(site=site), to=request.person).first()
    return TargetSchema(percent=own.percent if own else default_target(), is_own=own is not None)


@router.put(
    "/sites/{code}/availability-target", summary="Change the target of a site", response=TargetSchema, access=EDITING
)
def change_target(request: ApiRequest, code: str, body: TargetBody) -> TargetSchema:
    site = find(request, Site.objects.all(), code=code)
    demand(request.person, Permission.EDIT_SITES, site)
    targets.set_target(site, body.percent)
    return read_target(request, code)
