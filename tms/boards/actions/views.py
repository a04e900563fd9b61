"""Operator actions as HTML: the form, as a dialog for htmx or as a page, and its submission."""

from contextlib import AbstractContextManager
from http import HTTPStatus

from django.http import HttpResponse
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts import access
from tms.accounts import undo as undoing
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.alerts.actions.action import AlertTarget, IncidentTarget
from tms.alerts.actions.undo import AlertsBefore, IncidentsBefore
from tms.alerts.lifecycle import Conflict
from tms.boards.actions.many import BulkRequest
from tms.boards.actions.one import OneAlert, OneIncident
from tms.boards.actions.selection import BulkOutcome
from tms.boards.dialogs.action_dialog import ActionDialog
from tms.boards.list_filters.filters import PRIMARY_KEY
from tms.boards.pages import AlertsPage
from tms.boards.responses import render_done, row_of
from tms.boards.rows.alerts import AlertRow
from tms.boards.rows.incidents import IncidentRow
from tms.boards.toasts import toast_of

METHODS = ["GET", "HEAD", "POST"]
BULK_TEMPLATE = "boards/actions/bulk-action.html"


@require_http_methods(METHODS)
@never_cache
@sign_in_required
def act(request: AuthenticatedRequest, subject: str, pk: int, action: str) -> HttpResponse:
    """Perform an action on one alert or incident as the person saw it. On a conflict the input is preserved."""
    one = OneAlert(request, action, pk) if subject == "alert" else OneIncident(request, action, pk)
    row = row_of(one.page)
    dialog = one.dialog(request, initial={"contract": row.contract, "until": row.until})
    dialog.context |= {"subject": subject, **_row_context(one.target, row)}
    if not dialog.is_ready:
        dialog.add_consequences()
        return dialog.render(dialog.status)
    gate = dialog.gate()
    if isinstance(gate, HttpResponse):
        return gate
    before = one.before()
    try:
        with gate:
            one.perform(dialog.form.terms(), by=request.user, at=dialog.at, version=_version(request))
    except Conflict as conflict:
        return dialog.render(HTTPStatus.CONFLICT, conflict=conflict, **_row_context(one.target, row_of(one.page)))
    undo = before.offer(by=request.user, at=dialog.at)
    shown = toast_of(one.target, _title(row), undo) if undo else None
    return render_done(request, one.page, message=one.target.done, toast=shown)


@require_http_methods(METHODS)
@never_cache
@sign_in_required
def act_on_many(request: AuthenticatedRequest, action: str) -> HttpResponse:
    """Perform an action on all selected or matching alerts, and on selected incidents, in one transaction.

    Idempotent.
    """
    bulk = BulkRequest.of(request, action)
    selection, also = bulk.selection, bulk.also
    dialog = ActionDialog.of_alerts(request, bulk.action, BULK_TEMPLATE, alerts=bulk.alerts, incidents=bulk.incidents)
    numbers = bulk.numbers()
    dialog.context |= {"selection": selection, "also": also, "incidents": bulk.incidents, **numbers._asdict()}
    dialog.context["back"] = AlertsPage(access.scope_of(request.user), selection.matching).address
    if numbers.number and not dialog.is_ready:
        dialog.add_consequences()
    if (selection.is_nothing and not also.pks) or (dialog.is_sent and not dialog.is_ready):
        return dialog.render(HTTPStatus.UNPROCESSABLE_ENTITY)
    if not dialog.is_sent:
        return dialog.render(every=bulk.further(numbers.number))
    gate = dialog.gate()
    return gate if isinstance(gate, HttpResponse) else _perform_on_many(bulk, dialog, gate)


def _perform_on_many(bulk: BulkRequest, dialog: ActionDialog, gate: AbstractContextManager[None]) -> HttpResponse:
    at, by, terms, name = dialog.at, bulk.by, dialog.form.terms(), bulk.action.name
    before, incidents_before = AlertsBefore.of(name, bulk.alerts), IncidentsBefore.of(name, bulk.incidents)
    with gate:
        changed = bulk.target.run(bulk.alerts, by=by, at=at, **terms)
        on_incidents = bulk.action.incident
        done = on_incidents.perform_all(bulk.incidents, by=by, at=at, **terms) if on_incidents else []
    outcome = bulk.selection.outcome(by=by) if bulk.target.is_exclusive else BulkOutcome(changed)
    numbers = bulk.numbers()
    dialog.context |= {"outcome": outcome, "done": done, **numbers._asdict()}
    if not outcome.changed and not numbers.number and not done:
        return dialog.render(HTTPStatus.CONFLICT, is_changed=False)
    of_incidents = incidents_before.offer(by=by, at=at) if done else ""
    undo = undoing.together(before.offer(by=by, at=at), of_incidents, by=by)
    if not undo:
        return dialog.render_done(is_changed=True)
    return dialog.render_done(is_changed=True, **toast_of(bulk.target, _counts_text(outcome.changed, len(done)), undo))


def _counts_text(alerts: int, incidents: int) -> str:
    """`2 incidents, 3 alerts`."""
    texts = (
        (alerts, ngettext("%(n)s alert", "%(n)s alerts", alerts)),
        (incidents, ngettext("%(n)s incident", "%(n)s incidents", incidents)),
    )
    return gettext(", ").join(text % {"n": f"{number:,}"} for number, text in reversed(texts) if number)


def _title(row: AlertRow | IncidentRow) -> str:
    if isinstance(row, IncidentRow):
        return row.title
    return gettext("%(site)s, %(rule)s") % {"site": row.site_label.name, "rule": row.rule}


def _row_context(target: AlertTarget | IncidentTarget, row: AlertRow | IncidentRow) -> dict[str, object]:
    return {row.subject: row, "row": row, "applies": target.when.matches(row)}


def _version(request: AuthenticatedRequest) -> int | None:
    """The version that the person saw; without one, the current row is used."""
    text = request.POST.get("version", "")
    return int(text) if PRIMARY_KEY.fullmatch(text) else None
