"""The list of incidents: the page, actions on several of them, and the export."""

from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tms.accounts import access
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.alerts.actions.action import OperatorAction, Target, perform_all
from tms.alerts.actions.approvals import GATED, propose_incidents
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.actions.undo import offer_for_incidents
from tms.alerts.consequences import of_alerts
from tms.alerts.models import Alert, Incident
from tms.boards.approvals.gate import asked_in_dialog, passed
from tms.boards.formatting import csv_export
from tms.boards.incidents.export import HEAD, exported
from tms.boards.lists.incident_filter import IncidentFilter
from tms.boards.lists.incident_selection import IncidentSelection
from tms.boards.pages import IncidentPage, IncidentsPage, RenderContext
from tms.boards.responses import or_404, render_dialog, render_page
from tms.boards.toasts import add_toast, toast_of

MANY = "boards/actions/bulk-incidents.html"


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
    """Those that match the filter, or the selected ones."""
    chosen, selection = IncidentFilter.of(request.GET), IncidentSelection.of(request.GET)
    at = timezone.now()
    recorder.record_export(Incident, "csv", request.GET.urlencode())
    name = f"tms-incidents-{timezone.localtime(at):%Y-%m-%d}.csv"
    return csv_export.streamed(name, HEAD, exported(chosen, selection.pks, to=request.user, at=at))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def act_on_incidents(request: AuthenticatedRequest, action: str) -> HttpResponse:
    """Perform an action on all selected incidents and their alerts, in one transaction."""
    entry, target = _entry(request, action)
    at, is_sent = timezone.now(), request.method == "POST"
    selection = IncidentSelection.of(request.POST if is_sent else request.GET)
    form = entry.form(request.POST if is_sent else None, at=at, by=request.user)
    chosen = selection.incidents(entry, target, by=request.user)
    context: dict[str, Any] = {"action": entry, "form": form, "at": at, "selection": selection, "incidents": chosen}
    context["nav_item"] = IncidentsPage.nav_item
    if not is_sent or not form.is_valid() or not chosen:
        if action in GATED and chosen:
            context |= asked_in_dialog(propose_incidents(action, chosen, {}, by=request.user, at=at))
        elif entry.effect and chosen:
            alerts = access.visible(Alert.objects.unresolved().filter(incident__in=chosen), to=request.user)
            context["impact"] = of_alerts(alerts, to=request.user, at=at)
        return render_dialog(request, MANY, context, status=_status(selection, chosen, form=form, is_sent=is_sent))
    gate: HttpResponse | AbstractContextManager[None] = nullcontext()
    terms = form.terms()
    if action in GATED:
        proposal = propose_incidents(action, chosen, terms, by=request.user, at=at)
        gate = passed(request, proposal, context, template=MANY, reason=terms["comment"], at=at)
    if isinstance(gate, HttpResponse):
        return gate
    with gate:
        changed = perform_all(target, chosen, by=request.user, at=at, **terms)
    if not changed:
        return render_dialog(request, MANY, context, status=HTTPStatus.CONFLICT)
    number = ngettext("%(n)s incident", "%(n)s incidents", len(changed)) % {"n": len(changed)}
    title = changed[0].title if len(changed) == 1 else number
    shown = toast_of(target, title, offer_for_incidents(action, changed, by=request.user, at=at))
    if not request.htmx:
        add_toast(request, shown)
        return redirect("incidents")
    answer = render_dialog(request, MANY, context | shown, partial="done")
    answer["HX-Trigger"] = "bulk-action-done"
    return answer


def _status(selection: IncidentSelection, chosen: list[Incident], *, form: Any, is_sent: bool) -> HTTPStatus:
    if not selection.pks or (is_sent and not form.is_valid()):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.CONFLICT if is_sent and not chosen else HTTPStatus.OK


def _entry(request: AuthenticatedRequest, name: str) -> tuple[OperatorAction, Target]:
    action = ACTIONS.get(name)
    if action is None or action.incident is None:
        raise Http404
    access.demand(request.user, action.permission)
    return action, action.incident
