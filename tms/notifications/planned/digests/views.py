"""Pages for sending a digest, now and at the ends of shifts."""

from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, needs_to_post
from tms.accounts.permissions import Permission
from tms.notifications.models.delivery import NotificationKind
from tms.notifications.models.digest_plan import DigestPlan
from tms.notifications.planned import views as planned
from tms.notifications.planned.digests import services
from tms.notifications.planned.digests.forms import DigestPlanForm, SendForm, initial_values
from tms.shifts.digest import markdown
from tms.shifts.digest.digest import digest
from tms.shifts.period import Period, zone_of


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
    form = DigestPlanForm(request.POST, by=request.user)
    if not form.is_valid():
        return _page(request, plan_form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    services.plan(**form.cleaned_data, by=request.user, at=timezone.now())
    return redirect(f"{reverse('send-digest')}#plans")


@require_POST
@never_cache
@needs(Permission.PLAN_DIGESTS)
def drop_digest_plan(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Drop the plan of a destination. Idempotent."""
    plans = access.visible(DigestPlan.objects.all(), to=request.user)
    return planned.drop(request, plans, pk, page="send-digest")


def _page(
    request: AuthenticatedRequest,
    *,
    form: SendForm | None = None,
    plan_form: DigestPlanForm | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    span = Period.of_digest(request.GET, at=timezone.now().replace(microsecond=0))
    shift = digest(span.since, span.until, to=request.user)
    context: dict[str, object] = {
        "nav_item": "digest",
        "span": span,
        "title": markdown.title(shift, span.clocks),
        "text": markdown.markdown(shift, span.clocks),
        "form": form or SendForm(initial=initial_values(span.since, span.until, span.clocks.key), by=request.user),
        "plans": access.visible(DigestPlan.objects.select_related("destination"), to=request.user),
        "plan_form": plan_form or DigestPlanForm(by=request.user),
        "sent": planned.recently_sent(NotificationKind.DIGEST, to=request.user),
    }
    return render(request, "notifications/digest.html", context, status=status)
