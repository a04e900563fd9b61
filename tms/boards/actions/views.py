"""Operator actions as HTML: the form, as a dialog for htmx or as a page, and its submission."""

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts import access
from tms.accounts import undo as undoing
from tms.accounts.access import visible
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.models import User
from tms.alerts.actions.action import OperatorAction, Target, perform, perform_all
from tms.alerts.actions.approvals import GATED, propose_incidents, propose_many
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.actions.undo import AlertsBefore, offer_for_incidents
from tms.alerts.consequences import Consequences, of_alerts
from tms.alerts.lifecycle import Conflict
from tms.alerts.models import Alert, AlertQuerySet, Incident
from tms.boards.actions.selection import AlertSelection, BulkOutcome
from tms.boards.approvals.gate import asked_in_dialog, passed
from tms.boards.lists.filters import PRIMARY_KEY
from tms.boards.lists.incident_selection import IncidentSelection
from tms.boards.pages import AlertPage, AlertsPage, IncidentPage
from tms.boards.responses import or_404, render_dialog, render_done, row_of
from tms.boards.rows.alerts import AlertRow
from tms.boards.rows.common import WORST_FIRST
from tms.boards.rows.incidents import IncidentRow
from tms.boards.toasts import toast_of

METHODS = ["GET", "HEAD", "POST"]
ONE, MANY = "boards/actions/action.html", "boards/actions/bulk-action.html"

type Gate = HttpResponse | AbstractContextManager[None]


@require_http_methods(METHODS)
@never_cache
@sign_in_required
def act(request: AuthenticatedRequest, subject: str, pk: int, action: str) -> HttpResponse:
    """Perform an action on one alert or incident as the person saw it. On a conflict the input is preserved."""
    entry, target = _entry(request, action, subject)
    page, rows = _page(request, subject, pk)
    access.demand(request.user, entry.permission, getattr(page, subject))
    at, is_sent, row = timezone.now(), request.method == "POST", row_of(page)
    initial = {"contract": row.contract, "until": row.until}
    form = entry.form(request.POST if is_sent else None, at=at, by=request.user, initial=initial)
    context = {"action": entry, "form": form, "at": at, "subject": subject, **_shown(target, row)}
    is_gated = subject == "incident" and action in GATED
    if not is_sent or not form.is_valid():
        if is_gated:
            context |= asked_in_dialog(propose_incidents(action, rows, {}, by=request.user, at=at))
        elif subject == "incident":
            context["impact"] = _impact(request, entry, Alert.objects.unresolved().filter(incident=pk), at=at)
        return render_dialog(
            request, ONE, context, status=HTTPStatus.UNPROCESSABLE_ENTITY if is_sent else HTTPStatus.OK
        )
    gate: Gate = nullcontext()
    terms = form.terms()
    if is_gated:
        proposal = propose_incidents(action, rows, terms, by=request.user, at=at)
        gate = passed(request, proposal, context, template=ONE, reason=terms["comment"], at=at)
    if isinstance(gate, HttpResponse):
        return gate
    before = AlertsBefore.of(action, rows) if subject == "alert" else None
    try:
        with gate:
            perform(target, rows, by=request.user, at=at, version=_version(request), **terms)
    except Conflict as conflict:
        context |= {"conflict": conflict, **_shown(target, row_of(page))}
        return render_dialog(request, ONE, context, status=HTTPStatus.CONFLICT)
    if before is not None:
        undo = before.offer(by=request.user, at=at)
    else:
        undo = offer_for_incidents(action, rows, by=request.user, at=at)
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
    at, is_sent = timezone.now(), request.method == "POST"
    data = request.POST if is_sent else request.GET
    selection, also = AlertSelection.of(data), IncidentSelection.of(data, "incidents")
    form = entry.form(request.POST if is_sent else None, at=at, by=request.user)
    alerts, incidents = _permitted(entry, target, selection, request.user), _incidents(entry, also, by=request.user)
    back = AlertsPage(access.scope_of(request.user), selection.matching).address
    context = {"action": entry, "form": form, "at": at, "selection": selection, "back": back, **_numbers(alerts)}
    context |= {"also": also, "incidents": incidents}
    if not is_sent or not form.is_valid():
        context |= _consequences(request, entry, alerts, at=at) if context["number"] else {}
    if (selection.is_nothing and not also.pks) or (is_sent and not form.is_valid()):
        return render_dialog(request, MANY, context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if not is_sent:
        every = _permitted(entry, target, selection.every(), request.user).count()
        context["every"] = 0 if selection.is_all or also.pks or every <= context["number"] else every
        return render_dialog(request, MANY, context)
    gate: Gate = nullcontext()
    terms = form.terms()
    if action in GATED:
        proposal = propose_many(action, alerts, terms, by=request.user, at=at)
        gate = passed(request, proposal, context, template=MANY, reason=terms["comment"], at=at)
    if isinstance(gate, HttpResponse):
        return gate
    before = AlertsBefore.of(action, alerts)
    with gate:
        changed = target.run(alerts, by=request.user, at=at, **terms)
        done = perform_all(entry.incident, incidents, by=request.user, at=at, **terms) if entry.incident else []
    outcome = selection.outcome(by=request.user) if target.is_exclusive else BulkOutcome(changed)
    is_changed = bool(outcome.changed or context["number"] or done)
    context |= {"outcome": outcome, "is_changed": is_changed, "done": done, **_numbers(alerts)}
    if not is_changed:
        return render_dialog(request, MANY, context, status=HTTPStatus.CONFLICT)
    of_incidents = offer_for_incidents(action, done, by=request.user, at=at) if done else ""
    if undo := undoing.together(before.offer(by=request.user, at=at), of_incidents, by=request.user):
        context |= toast_of(target, _changed(outcome.changed, len(done)), undo)
    answer = render_dialog(request, MANY, context, partial="done")
    answer["HX-Trigger"] = "bulk-action-done"
    return answer


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
    return ", ".join(text % {"n": f"{number:,}"} for number, text in reversed(texts) if number)


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


def _impact(
    request: AuthenticatedRequest, entry: OperatorAction, alerts: AlertQuerySet, *, at: datetime
) -> Consequences | None:
    """What the action means, where it changes whether people are notified of the alerts."""
    return of_alerts(visible(alerts, to=request.user), to=request.user, at=at) if entry.effect else None


def _consequences(
    request: AuthenticatedRequest, entry: OperatorAction, alerts: AlertQuerySet, *, at: datetime
) -> dict[str, Any]:
    """For the dialog of many alerts."""
    if entry.name not in GATED:
        return {"impact": _impact(request, entry, alerts, at=at)}
    return asked_in_dialog(propose_many(entry.name, alerts, {}, by=request.user, at=at))


def _numbers(alerts: Any) -> dict[str, Any]:
    """Number of alerts that the action applies to, by severity and in total."""
    severities = AlertSelection.severities(alerts)
    return {
        "severities": [(name, severities[name]) for name in WORST_FIRST if severities[name]],
        "number": severities.total(),
    }
