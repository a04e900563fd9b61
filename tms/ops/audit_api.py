"""REST operation for the audit trail."""

from datetime import datetime
from typing import Any, Self

from django.http import HttpResponse
from ninja import Query
from pydantic import Field

from tms.accounts import access
from tms.accounts.audit.search import AuditFilter
from tms.accounts.models import AuditEntry
from tms.accounts.models.audit_entry import Via
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.lib.pagination import Column, Keyset
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import Page, PageQuery, paginate
from tms.rest_base.problems import ProblemError
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Id, Instant, ResponseSchema

router = ApiRouter("audit")
READING = Access(Permission.READ_AUDIT)
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
COPIED = ("at", "actor_name", "token_name", "via", "address", "action", "subject_type", "subject_id", "subject_name")


class AuditQuery(PageQuery):
    q: str = Field("", max_length=64, description="Part of the name of a person, a token or an object, or an address.")
    who: str = Field("", max_length=150, description="Username.")
    what: str = Field(
        "",
        max_length=32,
        description="An action, such as `changed`, or a group of them: `configuration`, `people`, `sign-ins`, "
        "`alerts`, `commands`, `exports`, `chain`.",
    )
    kind: str = Field("", max_length=64, description="Kind of the object, such as `alerts.rule`.")
    object: Id | None = Field(None, description="Its ID; only with `kind`.")
    via: Via | None = None
    address: str = Field("", max_length=64, description="IP address.")
    since: Instant | None = None
    until: Instant | None = None

    def filter(self) -> AuditFilter:
        names = ("q", "who", "what", "kind", "address", "since", "until")
        same = {name: getattr(self, name) for name in names}
        return AuditFilter(
            **same,
            object_id=str(self.object) if self.kind and self.object else "",
            via=self.via.value if self.via else "",
        )


class AuditEntrySchema(ResponseSchema):
    id: int
    number: int | None = Field(description="Position in the hash chain; null until it is sealed, a second or so later.")
    at: datetime
    actor_name: str = Field(description="Username, or UID of a terminal; empty for TMS itself and the command line.")
    token_name: str
    via: Via
    address: str | None
    action: str
    subject_type: str = Field(examples=["alerts.rule"])
    subject_id: str
    subject_name: str
    changes: dict[str, Any] = Field(description="Each field with its value before and after; secrets are masked.")
    comment: str
    hash: str

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        copied = {name: getattr(entry, name) for name in COPIED}
        return cls(
            id=entry.pk,
            number=entry.number,
            changes=entry.changes,
            comment=entry.comment,
            hash=entry.hash,
            **copied,
        )


class AuditPageSchema(Page[AuditEntrySchema]): ...


@router.get("/audit", summary="List audit entries", response=AuditPageSchema, access=READING)
def list_audit_entries(request: ApiRequest, response: HttpResponse, query: Query[AuditQuery]) -> AuditPageSchema:
    """Audit entries, newest first. Needs the permission for everything, because entries are about rows of all
    scopes.
    """
    if not access.may_within(request.person, Permission.READ_AUDIT, EVERYTHING):
        detail = f"the person of this token has {Permission.READ_AUDIT} for a part only; it must be for everything"
        raise ProblemError(403, "tms:forbidden", detail)
    found = paginate(request, response, query.filter().apply(AuditEntry.objects.all()), query, order=NEWEST_FIRST)
    return AuditPageSchema(items=[AuditEntrySchema.of(entry) for entry in found.rows], next=found.next)
