"""The list of incidents: the page, actions on several of them, and the export."""

from http import HTTPStatus

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tms.accounts import access
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.alerts.actions.action import IncidentTarget, OperatorAction
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.actions.undo import IncidentsBefore
from tms.alerts.models import Incident
from tms.boards.dialogs.action_dialog import ActionDialog
from tms.boards.incidents.export import HEAD, rows_to_export
from tms.boards.list_filters.incident_filter import IncidentFilter
from tms.boards.list_filters.incident_selection import IncidentSelection
from tms.boards.pages import IncidentPage, IncidentsPage, RenderContext
from tms.boards.responses import or_404, render_page
from tms.boards.toasts import add_toast, toast_of
from tms.lib import csv_export

BULK_TEMPLATE = "boards/actions/bulk-incidents.html"


@require_safe
@never_cache
@sign_in_required
def incidents(request: AuthenticatedRequest) -> HttpResponse:
    page = IncidentsPage.open(request.GET, person=request.user)
    return render_page(request, page, results="boards/incidents.html#results")


@require_safe
@never_cache
@sign_in_required
def post_mortem(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The draft as a Markdown file."""
    page = or_404(IncidentPage.open(request.GET, person=request.user, pk=str(pk)))
    drafted = page.page_state(RenderContext(timezone.now(), page.scope)).parts["draft"].values["markdown"]
    recorder.record_export(Incident, "markdown", f"incident={pk}")
    headers = {"Content-Disposition": f'attachment; filename="tms-incident-{pk}.md"'}
    return HttpResponse(drafted, content_type="text/markdown; charset=utf-8", headers=headers)


@require_safe
@never_cache
@sign_in_required
def export_incidents(request: AuthenticatedRequest) -> HttpResponseBase:
    """The incidents that match the filter, or the selected ones, as CSV."""
    chosen, selection = IncidentFilter.of(request.GET), IncidentSelection.of(request.GET)
    at = timezone.now()
    recorder.record_export(Incident, "csv", request.GET.urlencode())
    name = f"tms-incidents-{timezone.localtime(at):%Y-%m-%d}.csv"
    return csv_export.stream(name, HEAD, rows_to_export(chosen, selection.pks, to=request.user, at=at))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def act_on_incidents(request: AuthenticatedRequest, action: str) -> HttpResponse:
    """Perform an action on all selected incidents and their alerts, in one transaction."""
    entry, target = _entry(request, action)
    selection = IncidentSelection.of(request.POST if request.method == "POST" else request.GET)
    chosen = selection.incidents(entry, target, by=request.user)
    dialog = ActionDialog.of_incidents(request, entry, BULK_TEMPLATE, incidents=chosen)
    dialog.context |= {"selection": selection, "incidents": chosen, "nav_item": IncidentsPage.nav_item}
    if not dialog.is_ready or not chosen:
        if chosen:
            dialog.add_consequences()
        return dialog.render(_status(selection, chosen, dialog))
    gate = dialog.gate()
    if isinstance(gate, HttpResponse):
        return gate
    before = IncidentsBefore.of(action, chosen)
    with gate:
        changed = target.perform_all(chosen, by=request.user, at=dialog.at, **dialog.form.terms())
    if not changed:
        return dialog.render(HTTPStatus.CONFLICT)
    number = ngettext("%(n)s incident", "%(n)s incidents", len(changed)) % {"n": len(changed)}
    title = changed[0].title if len(changed) == 1 else number
    shown = toast_of(target, title, before.offer(by=request.user, at=dialog.at))
    if not request.htmx:
        add_toast(request, shown)
        return redirect("incidents")
    return dialog.render_done(**shown)


def _status(selection: IncidentSelection, chosen: list[Incident], dialog: ActionDialog) -> HTTPStatus:
    if not selection.pks or (dialog.is_sent and not dialog.is_ready):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.CONFLICT if dialog.is_sent and not chosen else HTTPStatus.OK


def _entry(request: AuthenticatedRequest, name: str) -> tuple[OperatorAction, IncidentTarget]:
    action = ACTIONS.get(name)
    if action is None or action.incident is None:
        raise Http404
    access.demand(request.user, action.permission)
    return action, action.incident
