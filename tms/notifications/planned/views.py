"""What the pages of digests and reports share: what was sent last, and dropping a plan."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.notifications import undo
from tms.notifications.models.delivery import Delivery, NotificationKind
from tms.notifications.planned import services

MAX_SENT = 10


def recently_sent(kind: NotificationKind, *, to: User) -> QuerySet[Delivery]:
    """The deliveries that a page lists: those that the person sees."""
    rows = access.visible(Delivery.objects.filter(kind=kind), to=to)
    return rows.select_related("destination").order_by("-pk")[:MAX_SENT]


def drop(request: AuthenticatedRequest, plans: QuerySet[Any], pk: int, *, page: str) -> HttpResponse:
    """Delete one of the plans that the person sees, and offer to undo it. Idempotent."""
    plan = plans.filter(pk=pk).first()
    if plan is not None:
        access.demand(request.user, Permission.PLAN_DIGESTS, plan)
        services.drop_plan(plan)
        undo.add_toast(request, plan)
    return redirect(f"{reverse(page)}#plans")
