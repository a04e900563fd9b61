"""Pages for sending availability reports, now and after each month."""

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
from tms.availability.report.months import Month
from tms.availability.report.texts import month_text
from tms.notifications.models.delivery import NotificationKind
from tms.notifications.models.report_plan import ReportPlan
from tms.notifications.planned import views as planned
from tms.notifications.planned.reports import services
from tms.notifications.planned.reports.forms import ReportPlanForm, SendReportForm


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_to_post(Permission.SEND_DIGESTS)
def send_report(request: AuthenticatedRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    form = SendReportForm(request.POST, by=request.user)
    if not form.is_valid():
        return _page(request, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    fields = form.cleaned_data
    services.send(
        fields["destination"], _month(request), customer=fields["customer"], to=request.user, at=timezone.now()
    )
    return redirect(f"{reverse('send-report')}?month={_month(request)}#sent")


@require_POST
@never_cache
@needs(Permission.PLAN_DIGESTS)
def plan_report(request: AuthenticatedRequest) -> HttpResponse:
    form = ReportPlanForm(request.POST, by=request.user)
    if not form.is_valid():
        return _page(request, plan_form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    services.plan(**form.cleaned_data, by=request.user, at=timezone.now())
    return redirect(f"{reverse('send-report')}#plans")


@require_POST
@never_cache
@needs(Permission.PLAN_DIGESTS)
def drop_report_plan(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    plans = access.visible(ReportPlan.objects.all(), to=request.user)
    return planned.drop(request, plans, pk, page="send-report")


def _month(request: AuthenticatedRequest) -> Month:
    """By default, the last one that is over."""
    return Month.parsed(request.GET.get("month", "")) or Month.of(timezone.localdate()).shifted(-1)


def _page(
    request: AuthenticatedRequest,
    *,
    form: SendReportForm | None = None,
    plan_form: ReportPlanForm | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    month = _month(request)
    context: dict[str, Any] = {
        "nav_item": "availability",
        "month": month,
        "month_text": month_text(month.first),
        "form": form or SendReportForm(by=request.user),
        "plans": access.visible(ReportPlan.objects.select_related("destination"), to=request.user),
        "plan_form": plan_form or ReportPlanForm(by=request.user),
        "sent": planned.recently_sent(NotificationKind.AVAILABILITY, to=request.user),
    }
    return render(request, "notifications/availability.html", context, status=status)
