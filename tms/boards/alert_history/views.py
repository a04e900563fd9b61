"""The pages of past alerts and of response times, and their exports."""

from datetime import datetime

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import replace_url

from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.alerts.models import Alert
from tms.boards.alert_history.search import HEAD, Search
from tms.boards.alert_history.statistics import Figures
from tms.lib import csv_export


@require_safe
@never_cache
@sign_in_required
def past_alerts(request: AuthenticatedRequest) -> HttpResponse:
    at = timezone.now()
    search = Search.of(request.GET, person=request.user, at=at)
    context = {"nav_item": "alerts", "search": search, **search.page(), **search.choices(), "spans": search.spans(at)}
    if request.htmx.request_type != "partial":
        return render(request, "boards/alert_history/alerts.html", context)
    answer = render(request, "boards/alert_history/alerts.html#results", context)
    return replace_url(answer, search.address)


@require_safe
@never_cache
@sign_in_required
def export_past(request: AuthenticatedRequest) -> HttpResponseBase:
    search = Search.of(request.GET, person=request.user, at=timezone.now())
    recorder.record_export(Alert, "csv", search.chosen.query)
    return csv_export.stream(_name("alerts"), HEAD, search.everything())


@require_safe
@never_cache
@sign_in_required
def alert_times(request: AuthenticatedRequest) -> HttpResponse:
    figures = Figures.of(request.GET, person=request.user, at=timezone.now())
    return render(request, "boards/alert_history/times.html", {"nav_item": "alerts", "figures": figures})


@require_safe
@never_cache
@sign_in_required
def export_times(request: AuthenticatedRequest) -> HttpResponse:
    figures = Figures.of(request.GET, person=request.user, at=timezone.now())
    rows = list(figures.export_rows())
    recorder.record_export(Alert, "csv", request.GET.urlencode(), rows=len(rows) - 1)
    return csv_export.attachment(_name("alert-times"), rows)


def _name(what: str) -> str:
    today: datetime = timezone.localtime()
    return f"tms-{what}-{today:%Y-%m-%d}.csv"
