"""REST operations for the keys of terminals. A secret is in the response that issues it, and nowhere else."""

from datetime import datetime, timedelta
from typing import Self

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts.access import visible
from tms.accounts.permissions import Permission
from tms.fleet.credentials import services
from tms.fleet.models import Credential, Lifecycle, Terminal
from tms.fleet.router import router
from tms.lib.pagination import Column, Keyset
from tms.rest_base.found_rows import find, find_to_change
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import Page, PageQuery, paginate
from tms.rest_base.problems import ProblemError, RequestFault, unreadable
from tms.rest_base.schemas import Instant, RequestSchema, ResponseSchema

NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
MAX_OVERLAP_S = 30 * 86_400
ISSUING = Access(Permission.ENROL_TERMINALS, refusals=(409,))
"""Not idempotent: the stored response would contain the key."""
REVOKING = Access(Permission.ENROL_TERMINALS, is_idempotent=True)


class KeySchema(ResponseSchema):
    id: int
    device: int | None = Field(description="The id of the device that has it.")
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None = Field(description="When a link began with it last.")

    @classmethod
    def of(cls, key: Credential) -> Self:
        return cls(
            id=key.pk,
            device=key.device_id,
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            used_at=key.used_at,
        )


class KeyPageSchema(Page[KeySchema]): ...


class KeyBody(RequestSchema):
    expires_at: Instant | None = Field(None, description="Null: valid until it is revoked.")


class KeyRotationBody(RequestSchema):
    overlap_s: int = Field(
        86_400, ge=0, le=MAX_OVERLAP_S, description="How long the other keys stay valid, so that the device can change."
    )


class NewKeySchema(ResponseSchema):
    credential: str = Field(
        description="`uid.secret`, as the terminal sends it. It is shown only now.", examples=["SJK-KSK-03.0pVz…"]
    )


class RevokedKeysSchema(ResponseSchema):
    revoked: int = Field(description="Number of keys that were valid until now.")


@router.get("/terminals/{uid}/keys", summary="List the keys of a terminal", response=KeyPageSchema)
def list_keys(request: ApiRequest, response: HttpResponse, uid: str, query: Query[PageQuery]) -> KeyPageSchema:
    """Newest first, with those that ended; without secrets, which TMS does not store."""
    terminal = find(request, Terminal.objects.all(), uid=uid)
    rows = visible(Credential.objects.filter(terminal=terminal), to=request.person)
    found = paginate(request, response, rows, query, order=NEWEST_FIRST)
    return KeyPageSchema(items=[KeySchema.of(key) for key in found.rows], next=found.next)


@router.post("/terminals/{uid}/keys", summary="Issue a key", response=NewKeySchema, status=201, access=ISSUING)
@transaction.atomic
def issue_key(request: ApiRequest, uid: str, body: KeyBody) -> NewKeySchema:
    """A further key for the device of the terminal; the others stay valid."""
    if body.expires_at is not None and body.expires_at <= timezone.now():
        raise unreadable(RequestFault("$.expires_at", "must be in the future"))
    return NewKeySchema(credential=str(services.issue(_in_use(request, uid), expires_at=body.expires_at)))


@router.post(
    "/terminals/{uid}/keys/rotate", summary="Rotate the keys of a terminal", response=NewKeySchema, access=ISSUING
)
@transaction.atomic
def rotate_keys(request: ApiRequest, uid: str, body: KeyRotationBody) -> NewKeySchema:
    """A new key; all others of the terminal end after the overlap."""
    overlap = timedelta(seconds=body.overlap_s)
    return NewKeySchema(credential=str(services.rotate(_in_use(request, uid), at=timezone.now(), overlap=overlap)))


@router.post(
    "/terminals/{uid}/keys/{int:pk}/revoke", summary="Revoke a key", response=RevokedKeysSchema, access=REVOKING
)
@transaction.atomic
def revoke_key(request: ApiRequest, uid: str, pk: int) -> RevokedKeysSchema:
    """Its link closes within seconds. Repeating it changes nothing."""
    key = find(request, Credential.objects.filter(terminal=_terminal(request, uid)), pk=pk)
    keys = visible(Credential.objects.filter(pk=key.pk), to=request.person)
    return RevokedKeysSchema(revoked=services.revoke(keys, at=timezone.now()))


def _terminal(request: ApiRequest, uid: str) -> Terminal:
    return find_to_change(request, Terminal.objects.all(), Permission.ENROL_TERMINALS, uid=uid)


def _in_use(request: ApiRequest, uid: str) -> Terminal:
    terminal = _terminal(request, uid)
    if terminal.lifecycle == Lifecycle.RETIRED:
        raise ProblemError(409, services.Retired.code, f"{uid} is retired; bring it back first")
    return terminal
