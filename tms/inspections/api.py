"""REST operations for rounds and inspections. Photos are sent from the page for phones only."""

from uuid import uuid4

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts.access import demand, visible
from tms.accounts.permissions import Permission
from tms.fleet.models import Terminal
from tms.inspections import listing, services
from tms.inspections.models import DeviceSeal, Inspection, InspectionResult, Round
from tms.inspections.schemas import (
    InspectionBody,
    InspectionPageSchema,
    InspectionSchema,
    RoundPageSchema,
    RoundSchema,
)
from tms.inspections.services import Findings
from tms.lib.pagination import Column, Keyset
from tms.protocol.text import clean
from tms.rest_base.found_rows import find, named_in_body
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Id

router = ApiRouter("inspections")
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
RECORDING = Access(Permission.INSPECT_TERMINALS, is_idempotent=True, refusals=(409,))


class RoundQuery(PageQuery):
    open: bool = Field(False, description="Only those that are not closed.")


class InspectionQuery(PageQuery):
    round: Id | None = None
    terminal: str = Field("", max_length=64, description="UID")
    result: InspectionResult | None = None
    valid: bool = Field(False, description="Only those that no other one corrects.")


@router.get("/inspection-rounds", summary="List inspection rounds", response=RoundPageSchema)
def list_rounds(request: ApiRequest, response: HttpResponse, query: Query[RoundQuery]) -> RoundPageSchema:
    rows = visible(Round.objects.select_related("owner_site", "owner_group"), to=request.person)
    found = paginate(request, response, rows.open() if query.open else rows, query, order=NEWEST_FIRST)
    shown = [RoundSchema.of(one) for one in listing.progress_of(found.rows, request.person)]
    return RoundPageSchema(items=shown, next=found.next)


@router.get("/inspection-rounds/{int:pk}", summary="Read an inspection round", response=RoundSchema)
def read_round(request: ApiRequest, pk: int) -> RoundSchema:
    chosen = find(request, Round.objects.select_related("owner_site", "owner_group"), pk=pk)
    [shown] = listing.progress_of([chosen], request.person)
    return RoundSchema.of(shown)


@router.get("/inspections", summary="List inspections", response=InspectionPageSchema)
def list_inspections(
    request: ApiRequest, response: HttpResponse, query: Query[InspectionQuery]
) -> InspectionPageSchema:
    """Newest first, with those that were corrected."""
    rows = visible(Inspection.objects.select_related("terminal", "by"), to=request.person)
    wanted = {"round": query.round, "terminal__uid": query.terminal, "result": query.result}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value})
    found = paginate(request, response, rows.valid() if query.valid else rows, query, order=NEWEST_FIRST)
    return InspectionPageSchema(items=[InspectionSchema.of(row) for row in found.rows], next=found.next)


@router.get("/inspections/{int:pk}", summary="Read an inspection", response=InspectionSchema)
def read_inspection(request: ApiRequest, pk: int) -> InspectionSchema:
    return InspectionSchema.of(find(request, Inspection.objects.select_related("terminal", "by"), pk=pk))


@router.post(
    "/inspection-rounds/{int:pk}/inspections",
    summary="Record an inspection",
    response=InspectionSchema,
    status=201,
    access=RECORDING,
)
def record_inspection(request: ApiRequest, response: HttpResponse, pk: int, body: InspectionBody) -> InspectionSchema:
    """`looks_tampered` opens an alert; `serial_differs` makes an unexpected device, about which a person decides."""
    chosen = find(request, Round.objects.all(), pk=pk)
    terminal = named_in_body(request, Terminal.objects.all(), "$.terminal", uid=body.terminal)
    demand(request.person, Permission.INSPECT_TERMINALS, terminal)
    try:
        made = services.record(
            chosen,
            terminal,
            _findings(body),
            key=uuid4(),
            by=request.person,
            at=timezone.now(),
            done_at=body.done_at,
            corrects=body.corrects,
        )
    except ValidationError as error:
        faults = (RequestFault(f"$.{name}", " ".join(texts)) for name, texts in error.message_dict.items())
        raise unreadable(*faults) from None
    response["Location"] = f"/api/v1/inspections/{made.pk}"
    return InspectionSchema.of(made)


def _findings(body: InspectionBody) -> Findings:
    return Findings(
        result=body.result,
        seen_serial=clean(body.seen_serial),
        seals=tuple(DeviceSeal(clean(one.number), clean(one.where), one.intact) for one in body.seals),
        surroundings=frozenset(body.surroundings),
        note=body.note,
    )
