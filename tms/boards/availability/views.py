"""Availability by month: page, targets, CSV, PDF, and the evidence that it is computed from."""

from http import HTTPStatus

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.permissions import Permission
from tms.availability import targets
from tms.availability.models import SiteDay
from tms.availability.pdf import document
from tms.availability.report import evidence, table
from tms.availability.report.months import Month
from tms.availability.report.report import report, rows_by
from tms.boards.availability.forms import TargetForm
from tms.boards.availability.page import context
from tms.boards.availability.query import ReportQuery
from tms.lib import csv_export


@require_safe
@never_cache
@sign_in_required
def availability(request: AuthenticatedRequest) -> HttpResponse:
    shown = {"nav_item": "availability", **context(_query(request))}
    return render(request, "boards/availability/availability.html", shown)


@require_safe
@never_cache
@sign_in_required
def export_availability(request: AuthenticatedRequest) -> HttpResponse:
    query = _query(request)
    rows = list(table.lines(query.month, query.by, rows_by(query.month, query.reader, query.area, query.by)))
    recorder.record_export(SiteDay, "csv", query.address, rows=len(rows))
    return csv_export.attachment(_name(query, query.by.value), [table.HEAD, *rows])


@require_safe
@never_cache
@sign_in_required
def export_pdf(request: AuthenticatedRequest) -> HttpResponse:
    query = _query(request)
    shown = report(query.month, query.reader, area=query.area, by=query.by)
    recorder.record_export(SiteDay, "pdf", query.address)
    headers = {"Content-Disposition": f'attachment; filename="tms-availability-{query.month}.pdf"'}
    body = document.pdf(shown, query.reader, at=timezone.now())
    return HttpResponse(body, content_type=document.CONTENT_TYPE, headers=headers)


@require_safe
@never_cache
@sign_in_required
def export_evidence(request: AuthenticatedRequest) -> HttpResponseBase:
    query = _query(request)
    recorder.record_export(SiteDay, "csv", query.address)
    lines = evidence.EvidenceRows(query.month, query.reader, query.area)
    return csv_export.stream(_name(query, "evidence"), evidence.HEAD, lines)


@require_POST
@never_cache
@needs(Permission.EDIT_SITES)
def set_target(request: AuthenticatedRequest) -> HttpResponse:
    """Set the target of a site. Without a percentage, the target of this installation applies again."""
    form = TargetForm(request.POST, by=request.user)
    if not form.is_valid():
        shown = {"nav_item": "availability", **context(_query(request)), "target_form": form}
        return render(request, "boards/availability/availability.html", shown, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    targets.set_target(form.cleaned_data["site"], form.cleaned_data["percent"])
    return redirect(f"{reverse('availability')}?{_query(request).address}")


def _query(request: AuthenticatedRequest) -> ReportQuery:
    return ReportQuery.of(request.GET, person=request.user, current=Month.of(timezone.localdate()))


def _name(query: ReportQuery, what: str) -> str:
    return f"tms-availability-{query.month}-{what}.csv"
