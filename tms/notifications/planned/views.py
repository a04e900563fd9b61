"""What the pages of digests and reports share: the plans, and what was sent last."""

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


def shown(plans: QuerySet[Any], kind: NotificationKind, *, to: User) -> dict[str, Any]:
    """For the template of a page."""
    sent = access.visible(Delivery.objects.filter(kind=kind), to=to)
    return {
        "plans": access.visible(plans.select_related("destination"), to=to),
        "sent": sent.select_related("destination").order_by("-pk")[:MAX_SENT],
    }


def drop(request: AuthenticatedRequest, plans: QuerySet[Any], pk: int, *, page: str) -> HttpResponse:
    """Delete a plan, and offer to undo it. Idempotent."""
    plan = access.visible(plans, to=request.user).filter(pk=pk).first()
    if plan is not None:
        access.demand(request.user, Permission.PLAN_DIGESTS, plan)
        services.drop_plan(plans, pk)
        undo.add_toast(request, plan)
    return redirect(f"{reverse(page)}#plans")
