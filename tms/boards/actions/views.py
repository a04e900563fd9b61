"""Operator actions as HTML: the form, as a dialog for htmx or as a page, and its submission."""

from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts import access
from tms.accounts import undo as undoing
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.models import User
from tms.alerts.actions.action import OperatorAction, Target, perform, perform_all
from tms.alerts.actions.approvals import GATED
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.actions.undo import AlertsBefore, IncidentsBefore
from tms.alerts.lifecycle import Conflict
from tms.alerts.models import Alert, AlertQuerySet, Incident
from tms.boards.actions.selection import AlertSelection, BulkOutcome
from tms.boards.approvals.action_dialog import ActionDialog
from tms.boards.lists.filters import PRIMARY_KEY
from tms.boards.lists.incident_selection import IncidentSelection
from tms.boards.pages import AlertPage, AlertsPage, IncidentPage
from tms.boards.responses import or_404, render_done, row_of
from tms.boards.rows.alerts import AlertRow
from tms.boards.rows.incidents import IncidentRow
from tms.boards.toasts import toast_of
from tms.lib.severity import Severity

METHODS = ["GET", "HEAD", "POST"]
ONE, MANY = "boards/actions/action.html", "boards/actions/bulk-action.html"


@require_http_methods(METHODS)
@never_cache
@sign_in_required
def act(request: AuthenticatedRequest, subject: str, pk: int, action: str) -> HttpResponse:
    """Perform an action on one alert or incident as the person saw it. On a conflict the input is preserved."""
    entry, target = _entry(request, action, subject)
    page, rows = _page(request, subject, pk)
    access.demand(request.user, entry.permission, getattr(page, subject))
    row = row_of(page)
    dialog = _dialog(request, entry, subject, rows, initial={"contract": row.contract, "until": row.until})
    dialog.context |= {"subject": subject, **_shown(target, row)}
    if not dialog.is_ready:
        dialog.add_consequences()
        return dialog.render(dialog.status)
    gate = dialog.gate()
    if isinstance(gate, HttpResponse):
        return gate
    kind: type[AlertsBefore | IncidentsBefore] = AlertsBefore if subject == "alert" else IncidentsBefore
    before = kind.of(action, rows)
    try:
        with gate:
            perform(target, rows, by=request.user, at=dialog.at, version=_version(request), **dialog.form.terms())
    except Conflict as conflict:
        return dialog.render(HTTPStatus.CONFLICT, conflict=conflict, **_shown(target, row_of(page)))
    undo = before.offer(by=request.user, at=dialog.at)
    shown = toast_of(target, _title(row), undo) if undo else None
    return render_done(request, page, message=target.done, toast=shown)


@require_http_methods(METHODS)
@never_cache
@sign_in_required
def act_on_many(request: AuthenticatedRequest, action: str) -> HttpResponse:
    """Perform an action on all selected or matching alerts, and on selected incidents, in one transaction.

    Idempotent.
    """
    entry, target = _entry(request, action, "alert")
    data = request.POST if request.method == "POST" else request.GET
    selection, also = AlertSelection.of(data), IncidentSelection.of(data, "incidents")
    alerts, incidents = _permitted(entry, target, selection, request.user), _incidents(entry, also, by=request.user)
    dialog = ActionDialog.of_alerts(request, entry, MANY, alerts=alerts, incidents=incidents)
    dialog.context |= {"selection": selection, "also": also, "incidents": incidents, **_numbers(alerts)}
    dialog.context["back"] = AlertsPage(access.scope_of(request.user), selection.matching).address
    number = dialog.context["number"]
    if number and not dialog.is_ready:
        dialog.add_consequences()
    if (selection.is_nothing and not also.pks) or (dialog.is_sent and not dialog.is_ready):
        return dialog.render(HTTPStatus.UNPROCESSABLE_ENTITY)
    if not dialog.is_sent:
        every = _permitted(entry, target, selection.every(), request.user).count()
        return dialog.render(every=0 if selection.is_all or also.pks or every <= number else every)
    gate = dialog.gate()
    return gate if isinstance(gate, HttpResponse) else _perform_on_many(request, entry, dialog, alerts, gate)


def _perform_on_many(
    request: AuthenticatedRequest,
    entry: OperatorAction,
    dialog: ActionDialog,
    alerts: AlertQuerySet,
    gate: AbstractContextManager[None],
) -> HttpResponse:
    at, by, terms, selection = dialog.at, request.user, dialog.form.terms(), dialog.context["selection"]
    target, incidents = entry.alert, dialog.context["incidents"]
    assert target is not None
    before, incidents_before = AlertsBefore.of(entry.name, alerts), IncidentsBefore.of(entry.name, incidents)
    with gate:
        changed = target.run(alerts, by=by, at=at, **terms)
        done = perform_all(entry.incident, incidents, by=by, at=at, **terms) if entry.incident else []
    outcome = selection.outcome(by=by) if target.is_exclusive else BulkOutcome(changed)
    dialog.context |= {"outcome": outcome, "done": done, **_numbers(alerts)}
    is_changed = bool(outcome.changed or dialog.context["number"] or done)
    if not is_changed:
        return dialog.render(HTTPStatus.CONFLICT, is_changed=False)
    of_incidents = incidents_before.offer(by=by, at=at) if done else ""
    undo = undoing.together(before.offer(by=by, at=at), of_incidents, by=by)
    toast = toast_of(target, _changed(outcome.changed, len(done)), undo) if undo else {}
    return dialog.done(is_changed=True, **toast)


def _dialog(
    request: AuthenticatedRequest, entry: OperatorAction, subject: str, rows: Any, *, initial: dict[str, Any]
) -> ActionDialog:
    if subject == "incident":
        return ActionDialog.of_incidents(request, entry, ONE, incidents=rows, initial=initial)
    return ActionDialog(request, entry, ONE, alerts=rows, initial=initial)


def _incidents(entry: OperatorAction, also: IncidentSelection, *, by: User) -> list[Incident]:
    """The selected incidents to which the action applies. Gated actions on them are offered with the incidents only."""
    if entry.incident is None or entry.name in GATED:
        return []
    return also.incidents(entry, entry.incident, by=by)


def _changed(alerts: int, incidents: int) -> str:
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


def _entry(request: AuthenticatedRequest, name: str, subject: str) -> tuple[OperatorAction, Target]:
    action = ACTIONS.get(name)
    target: Target | None = getattr(action, subject, None)
    if action is None or target is None:
        raise Http404
    access.demand(request.user, action.permission)
    return action, target


def _permitted(action: OperatorAction, target: Target, selection: AlertSelection, by: User) -> AlertQuerySet:
    """The selected alerts that the action applies to. Those that the person may only see are skipped."""
    return access.permitted(target.when.filter(selection.alerts(to=by)), by=by, permission=action.permission)


def _page(request: AuthenticatedRequest, subject: str, pk: int) -> tuple[AlertPage | IncidentPage, Any]:
    """The page of an alert or incident, and its row."""
    if subject == "alert":
        return or_404(AlertPage.open(request.GET, person=request.user, pk=str(pk))), Alert.objects.filter(pk=pk)
    return or_404(IncidentPage.open(request.GET, person=request.user, pk=str(pk))), Incident.objects.filter(pk=pk)


def _shown(target: Target, row: Any) -> dict[str, Any]:
    return {row.subject: row, "row": row, "applies": target.when.matches(row)}


def _version(request: AuthenticatedRequest) -> int | None:
    """The version that the person saw; without one, the current row is used."""
    text = request.POST.get("version", "")
    return int(text) if PRIMARY_KEY.fullmatch(text) else None


def _numbers(alerts: Any) -> dict[str, Any]:
    """Number of alerts that the action applies to, by severity and in total."""
    severities = AlertSelection.severities(alerts)
    return {
        "severities": [(name, severities[name]) for name in Severity if severities[name]],
        "number": severities.total(),
    }
