"""REST operations for enrolment tokens. A token is in the response that makes it, and nowhere else."""

from datetime import datetime, timedelta
from typing import Self

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field, model_validator

from tms.accounts.access import demand, demand_within, visible
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.fleet.enrolment import tokens
from tms.fleet.enrolment.tokens import MAX_SERIALS, MAX_USES, MAX_VALIDITY_OF_MANY, TokenLimits
from tms.fleet.models import EnrolmentToken, Lifecycle, Region, Site, Terminal, TerminalKind
from tms.fleet.router import router
from tms.lib.hashing import hash_token
from tms.lib.pagination import Column, Keyset
from tms.rest_base.found_rows import find_to_change, named_in_body
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import Page, PageQuery, paginate
from tms.rest_base.problems import ProblemError
from tms.rest_base.schemas import RequestSchema, ResponseSchema

NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
MAX_HOURS = MAX_VALIDITY_OF_MANY // timedelta(hours=1)
MAKING = Access(Permission.ENROL_TERMINALS, refusals=(409,))
"""Not idempotent: the stored response would contain the token."""
WITHDRAWING = Access(Permission.ENROL_TERMINALS, is_idempotent=True)


class EnrolmentTokenBody(RequestSchema):
    """What it is for: exactly one of `site`, `region` and `terminal`."""

    name: str = Field("", max_length=100, examples=["Spring roll-out"])
    site: str = Field("", max_length=8, description="Code of the site of the new terminals.", examples=["SJK"])
    region: str = Field("", max_length=100, description="Name of a region; each terminal names a site of it.")
    terminal: str = Field("", max_length=64, description="UID of a terminal that exists already.")
    kind: TerminalKind | None = Field(None, description="The kind of the terminals; null: each says its own.")
    uses: int = Field(1, ge=1, le=MAX_USES, description="How many terminals may enrol with it.")
    serials: list[str] = Field([], max_length=MAX_SERIALS, description="Only devices with one of these; empty: any.")
    valid_hours: int = Field(24, ge=1, le=MAX_HOURS, description="At most 24 for a single use.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if sum(map(bool, (self.site, self.region, self.terminal))) != 1:
            raise ValueError("set exactly one of site, region and terminal")
        if self.terminal and self.uses > 1:
            raise ValueError("a token for a terminal is used once")
        if any(len(serial) > 64 for serial in self.serials):
            raise ValueError("a serial number has at most 64 characters")
        return self


class EnrolmentTokenSchema(ResponseSchema):
    id: int
    name: str
    site: str | None = Field(description="Site code.")
    region: str
    kind: str
    uses: int
    uses_left: int
    serials: list[str]
    created_at: datetime
    created_by: str | None = Field(description="Username.")
    expires_at: datetime
    used_at: datetime | None = Field(description="When it was used last.")
    withdrawn_at: datetime | None

    @classmethod
    def of(cls, token: EnrolmentToken) -> Self:
        by, site = token.created_by, token.site
        values = {name: getattr(token, name) for name in OF_TOKEN}
        return cls(id=token.pk, site=site.code if site else None, created_by=by.username if by else None, **values)


class NewEnrolmentTokenSchema(EnrolmentTokenSchema):
    token: str = Field(description="It is shown only now.")


class EnrolmentTokenPageSchema(Page[EnrolmentTokenSchema]): ...


class EnrolmentTokenQuery(PageQuery):
    usable: bool = Field(False, description="Only those that terminals can still use.")


@router.get("/enrolment-tokens", summary="List enrolment tokens", response=EnrolmentTokenPageSchema)
def list_enrolment_tokens(
    request: ApiRequest, response: HttpResponse, query: Query[EnrolmentTokenQuery]
) -> EnrolmentTokenPageSchema:
    """Newest first, without the tokens themselves, which TMS does not store."""
    rows = tokens.usable(timezone.now()) if query.usable else EnrolmentToken.objects.all()
    seen = visible(rows.select_related("site", "created_by"), to=request.person)
    found = paginate(request, response, seen, query, order=NEWEST_FIRST)
    return EnrolmentTokenPageSchema(items=[EnrolmentTokenSchema.of(token) for token in found.rows], next=found.next)


@router.post(
    "/enrolment-tokens",
    summary="Make an enrolment token",
    response=NewEnrolmentTokenSchema,
    status=201,
    access=MAKING,
)
@transaction.atomic
def make_enrolment_token(request: ApiRequest, body: EnrolmentTokenBody) -> NewEnrolmentTokenSchema:
    """Devices exchange it for their keys at `POST /api/v1/enrol`."""
    limits = _limits(request, body)
    valid = timedelta(hours=body.valid_hours)
    token = tokens.make_token(limits, by=request.person, at=timezone.now(), valid=valid)
    made = visible(EnrolmentToken.objects.filter(digest=hash_token(token)), to=request.person).get()
    return NewEnrolmentTokenSchema(**EnrolmentTokenSchema.of(made).model_dump(), token=token)


@router.post(
    "/enrolment-tokens/{int:pk}/withdraw",
    summary="Withdraw an enrolment token",
    response=EnrolmentTokenSchema,
    access=WITHDRAWING,
)
@transaction.atomic
def withdraw_enrolment_token(request: ApiRequest, pk: int) -> EnrolmentTokenSchema:
    """Terminals that enrolled with it stay. Repeating it changes nothing."""
    token = find_to_change(request, EnrolmentToken.objects.all(), Permission.ENROL_TERMINALS, pk=pk)
    tokens.withdraw_token(token, at=timezone.now())
    token.refresh_from_db()
    return EnrolmentTokenSchema.of(token)


def _limits(request: ApiRequest, body: EnrolmentTokenBody) -> TokenLimits:
    shared = {"kind": body.kind or "", "uses": body.uses, "serials": body.serials, "name": body.name}
    if body.terminal:
        terminal = named_in_body(request, Terminal.objects.select_related("site"), "$.terminal", uid=body.terminal)
        demand(request.person, Permission.ENROL_TERMINALS, terminal)
        if terminal.lifecycle == Lifecycle.RETIRED:
            raise ProblemError(409, "tms:retired", f"{terminal.uid} is retired; bring it back first")
        return TokenLimits(terminal=terminal, **shared)  # type: ignore[arg-type]
    if body.region:
        region = named_in_body(request, Region.objects.all(), "$.region", name=body.region)
        demand_within(request.person, Permission.ENROL_TERMINALS, Scope.of(region=region.name))
        return TokenLimits(region=region.name, **shared)  # type: ignore[arg-type]
    site = named_in_body(request, Site.objects.all(), "$.site", code=body.site)
    demand(request.person, Permission.ENROL_TERMINALS, site)
    if site.closed_at is not None:
        raise ProblemError(409, "tms:site-closed", f"{site.code} is closed; reopen it first")
    return TokenLimits(site=site, **shared)  # type: ignore[arg-type]


OF_TOKEN = (
    *("name", "region", "kind", "uses", "uses_left", "serials", "created_at", "expires_at", "used_at"),
    "withdrawn_at",
)
