"""Pages for sending a digest, now and at the ends of shifts."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, needs_to_post
from tms.accounts.permissions import Permission
from tms.notifications import undo
from tms.notifications.digests import services
from tms.notifications.digests.forms import PlanForm, SendForm, begun
from tms.notifications.models.delivery import Delivery, NotificationKind
from tms.notifications.models.digest_plan import DigestPlan
from tms.shifts.digest import markdown
from tms.shifts.digest.digest import digest
from tms.shifts.period import Period, zone_of

MAX_SENT = 10


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_to_post(Permission.SEND_DIGESTS)
def send_digest(request: AuthenticatedRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    form = SendForm(request.POST, by=request.user)
    if not form.is_valid():
        return _page(request, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    fields = form.cleaned_data
    for destination in fields["destinations"]:
        services.send(
            destination,
            fields["since"],
            fields["until"],
            zone=zone_of(fields["zone"]),
            to=request.user,
            at=timezone.now(),
        )
    return redirect(f"{reverse('send-digest')}?{request.GET.urlencode()}#sent")


@require_POST
@never_cache
@needs(Permission.PLAN_DIGESTS)
def plan_digest(request: AuthenticatedRequest) -> HttpResponse:
    form = PlanForm(request.POST, by=request.user)
    if not form.is_valid():
        return _page(request, plan_form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    services.plan(**form.cleaned_data, by=request.user, at=timezone.now())
    return redirect(f"{reverse('send-digest')}#plans")


@require_POST
@never_cache
@needs(Permission.PLAN_DIGESTS)
def drop_digest_plan(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Drop the plan of a destination. Idempotent."""
    plan = access.visible(DigestPlan.objects.all(), to=request.user).filter(pk=pk).first()
    if plan is not None:
        access.demand(request.user, Permission.PLAN_DIGESTS, plan)
        services.drop_plan(pk)
        undo.add_toast(request, plan)
    return redirect(f"{reverse('send-digest')}#plans")


def _page(
    request: AuthenticatedRequest,
    *,
    form: SendForm | None = None,
    plan_form: PlanForm | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    span = Period.of_digest(request.GET, at=timezone.now().replace(microsecond=0))
    shift = digest(span.since, span.until, to=request.user)
    digests = access.visible(Delivery.objects.filter(kind=NotificationKind.DIGEST), to=request.user)
    sent = digests.select_related("destination").order_by("-pk")
    plans = access.visible(DigestPlan.objects.select_related("destination"), to=request.user)
    context: dict[str, Any] = {
        "nav_item": "digest",
        "span": span,
        "title": markdown.title(shift, span.clocks),
        "text": markdown.markdown(shift, span.clocks),
        "form": form or SendForm(initial=begun(span.since, span.until, span.clocks.key), by=request.user),
        "plans": plans,
        "plan_form": plan_form or PlanForm(by=request.user),
        "sent": sent[:MAX_SENT],
    }
    return render(request, "notifications/digest.html", context, status=status)
