"""The list of devices as CSV and PDF."""

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.inspections import listing
from tms.inspections.devices import HEAD, InspectedDevices
from tms.inspections.listing import ListQuery
from tms.inspections.models import Inspection, Round
from tms.inspections.pdf import document
from tms.inspections.views import asked_round
from tms.lib import csv_export
from tms.lib.pdf import CONTENT_TYPE


@require_safe
@never_cache
@sign_in_required
def export_devices(request: AuthenticatedRequest) -> HttpResponseBase:
    """Every device in service that the person sees, with its last inspection; of a `round` or a `site` only."""
    chosen = asked_round(request)
    rows = _rows(request, chosen)
    recorder.record_export(Inspection, "csv", request.GET.urlencode(), rows=len(rows))
    return csv_export.stream(_name(chosen, "csv"), HEAD, rows)


@require_safe
@never_cache
@sign_in_required
def export_pdf(request: AuthenticatedRequest) -> HttpResponse:
    """The same, with at most `MAX_ROWS` rows."""
    chosen = asked_round(request)
    rows, figures = _rows(request, chosen), None
    if chosen is not None:
        figures = listing.figures(listing.members_of(chosen, request.user), timezone.localdate())
    recorder.record_export(Inspection, "pdf", request.GET.urlencode(), rows=len(rows))
    body = document.pdf(chosen, figures, rows, at=timezone.now())
    headers = {"Content-Disposition": f'attachment; filename="{_name(chosen, "pdf")}"'}
    return HttpResponse(body, content_type=CONTENT_TYPE, headers=headers)


def _rows(request: AuthenticatedRequest, chosen: Round | None) -> InspectedDevices:
    return InspectedDevices(request.user, chosen, ListQuery.of(request.GET, timezone.localdate()))


def _name(chosen: Round | None, ending: str) -> str:
    part = f"-round-{chosen.pk}" if chosen else ""
    return f"tms-devices{part}-{timezone.localdate():%Y-%m-%d}.{ending}"
