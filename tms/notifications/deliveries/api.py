"""REST operations for deliveries: what was sent, with which result."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts import access
from tms.accounts.permissions import Permission
from tms.lib.pagination import Column, Keyset
from tms.notifications.dispatch import leases
from tms.notifications.models import delivery as models
from tms.notifications.models.delivery import DeliveryState, NotificationKind
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import Page, PageQuery, paginate
from tms.rest_base.problems import ProblemError
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Id, ResponseSchema

router = ApiRouter("deliveries")
RESENDING = Access(Permission.RESEND_DELIVERIES, is_idempotent=True)
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
COPIED = (
    *("uid", "step", "kind", "site_code", "state", "created_at", "due_at", "give_up_at", "attempts", "ended_at"),
    *("possible_duplicate", "detail"),
)
MAX_ALERTS = 1_000


class DeliveryQuery(PageQuery):
    state: DeliveryState | None = None
    destination: Id | None = None
    policy: Id | None = None
    alert: Id | None = Field(None, description="Only deliveries that notify of this alert.")

    def apply(self, rows: QuerySet[models.Delivery]) -> QuerySet[models.Delivery]:
        wanted = {"state": self.state, "destination": self.destination, "policy": self.policy}
        rows = rows.filter(**{name: value for name, value in wanted.items() if value})
        if self.alert:
            rows = rows.filter(pk__in=models.DeliveryItem.objects.filter(alert=self.alert).values("delivery"))
        return rows


class ReferenceSchema(ResponseSchema):
    id: int
    name: str


class DeliverySchema(ResponseSchema):
    id: int
    uid: UUID = Field(description="Message ID, the same for each attempt.")
    destination: ReferenceSchema
    policy: ReferenceSchema | None = Field(description="Null if deleted.")
    step: int = Field(description="Escalation step; 0 is the first.")
    kind: NotificationKind
    site_code: str = Field(description="Site code, if grouped by site.")
    state: DeliveryState
    created_at: datetime
    due_at: datetime
    give_up_at: datetime
    attempts: int
    ended_at: datetime | None
    possible_duplicate: bool
    detail: str = Field(description="Latest response.")

    @classmethod
    def of(cls, delivery: models.Delivery) -> Self:
        policy = delivery.policy
        return cls(
            id=delivery.pk,
            destination=ReferenceSchema(id=delivery.destination_id, name=delivery.destination.name),
            policy=ReferenceSchema(id=policy.pk, name=policy.name) if policy else None,
            **{name: getattr(delivery, name) for name in COPIED},
        )


class DeliveryPageSchema(Page[DeliverySchema]): ...


class DeliveryDetailSchema(DeliverySchema):
    alerts: list[int] = Field(description=f"IDs of its alerts, {MAX_ALERTS} at most.")
    content: dict[str, Any] = Field(description="Content; empty until the first attempt.")


@router.get("/deliveries", summary="List deliveries", response=DeliveryPageSchema)
def list_deliveries(request: ApiRequest, response: HttpResponse, query: Query[DeliveryQuery]) -> DeliveryPageSchema:
    """Deliveries, newest first."""
    found = paginate(request, response, query.apply(_deliveries(request)), query, order=NEWEST_FIRST)
    return DeliveryPageSchema(items=[DeliverySchema.of(delivery) for delivery in found.rows], next=found.next)


@router.get("/deliveries/{int:pk}", summary="Read a delivery", response=DeliveryDetailSchema)
def read_delivery(request: ApiRequest, pk: int) -> DeliveryDetailSchema:
    return _in_full(_delivery(request, pk))


@router.post(
    "/deliveries/{int:pk}/again", summary="Resend a failed delivery", response=DeliveryDetailSchema, access=RESENDING
)
def send_delivery_again(request: ApiRequest, pk: int) -> DeliveryDetailSchema:
    """TMS tries for another 24 hours."""
    delivery = _delivery(request, pk)
    access.demand(request.person, Permission.RESEND_DELIVERIES, delivery)
    if not leases.send_again(delivery, at=timezone.now()):
        raise ProblemError(409, "tms:not-given-up", "only a failed delivery can be resent")
    return _in_full(_delivery(request, pk))


def _in_full(delivery: models.Delivery) -> DeliveryDetailSchema:
    alerts = list(delivery.items.order_by("alert").values_list("alert", flat=True)[:MAX_ALERTS])
    return DeliveryDetailSchema(**dict(DeliverySchema.of(delivery)), alerts=alerts, content=dict(delivery.content))


def _deliveries(request: ApiRequest) -> QuerySet[models.Delivery]:
    return access.visible(models.Delivery.objects.select_related("destination", "policy"), to=request.person)


def _delivery(request: ApiRequest, pk: int) -> models.Delivery:
    found = _deliveries(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
