from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

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
    rows = Delivery.objects.select_related("destination", "policy").annotate(number=Count("items")).order_by("-pk")
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
    rows = Delivery.objects.select_related("destination", "policy")
    shown = get_object_or_404(rows, pk=pk)
    items = shown.items.select_related(*ALERT.related, *INCIDENT.related).order_by("pk")
    return render(request, "notifications/delivery.html", {"nav_item": "deliveries", "delivery": shown, "items": items})


@require_POST
@needs(Permission.RESEND_DELIVERIES)
def send_again(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Idempotent."""
    chosen = get_object_or_404(Delivery, pk=pk)
    leases.send_again(chosen, at=timezone.now())
    return redirect(chosen)
