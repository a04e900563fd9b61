"""The pages of deliveries."""

from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.permissions import Permission
from tms.notifications.dispatch import leases
from tms.notifications.models.delivery import Delivery, DeliveryState
from tms.notifications.soft_delete.views import PRIMARY_KEY
from tms.notifications.subjects import ALERT, INCIDENT

ON_A_PAGE = 50


@require_safe
@never_cache
@sign_in_required
def deliveries(request: AuthenticatedRequest) -> HttpResponse:
    state = request.GET.get("state", "")
    rows = access.visible(Delivery.objects.select_related("destination", "policy"), to=request.user)
    rows = rows.annotate(number=Count("items")).order_by("-pk")
    if state in DeliveryState.values:
        rows = rows.filter(state=state)
    if PRIMARY_KEY.fullmatch(before := request.GET.get("before", "")):
        rows = rows.filter(pk__lt=int(before))
    shown = list(rows[: ON_A_PAGE + 1])
    older = shown[ON_A_PAGE - 1].pk if len(shown) > ON_A_PAGE else None
    context = {
        "nav_item": "deliveries",
        "deliveries": shown[:ON_A_PAGE],
        "state": state,
        "states": DeliveryState.choices,
        "older": urlencode({"state": state, "before": older}) if older else "",
    }
    return render(request, "notifications/deliveries.html", context)


@require_safe
@never_cache
@sign_in_required
def delivery(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    rows = access.visible(Delivery.objects.select_related("destination", "policy"), to=request.user)
    shown = get_object_or_404(rows, pk=pk)
    items = shown.items.select_related(*ALERT.related, *INCIDENT.related).order_by("pk")
    may_resend = access.may(request.user, Permission.RESEND_DELIVERIES, shown)
    context = {"nav_item": "deliveries", "delivery": shown, "items": items, "may_resend": may_resend}
    return render(request, "notifications/delivery.html", context)


@require_POST
@needs(Permission.RESEND_DELIVERIES)
def send_again(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Send a failed delivery again. Idempotent."""
    chosen = get_object_or_404(access.visible(Delivery.objects.all(), to=request.user), pk=pk)
    access.demand(request.user, Permission.RESEND_DELIVERIES, chosen)
    leases.send_again(chosen, at=timezone.now())
    return redirect(chosen)
