"""Merging selected incidents, and moving alerts out of one: the dialogs, and their submission."""

from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.actions.forms import CommentForm
from tms.alerts.correlation.regrouping.merge import merge
from tms.alerts.correlation.regrouping.move_out import move_out
from tms.alerts.correlation.regrouping.undo import MergeBefore, offer_putting_back
from tms.alerts.lifecycle import AlreadyResolved
from tms.alerts.models import Alert, Incident
from tms.boards.list_filters.filters import PRIMARY_KEY
from tms.boards.list_filters.incident_selection import IncidentSelection
from tms.boards.pages import IncidentPage, IncidentsPage
from tms.boards.pages.incident import MAX_MEMBERS
from tms.boards.responses import or_404, render_dialog
from tms.boards.rows.incidents import MAX_ROWS
from tms.boards.toasts import Toast, add_toast, toast

MERGE, MOVE_OUT = "boards/actions/bulk-incidents.html", "boards/actions/move-out.html"


class Regrouping(NamedTuple):
    """What the dialogs need of an operator action."""

    name: str
    label: str | Promise
    hint: str | Promise


MERGING = Regrouping(
    "merge",
    pgettext_lazy("action", "Merge"),
    _("All alerts belong to the incident that goes on. The others end; people notified of them are notified of that."),
)
MOVING = Regrouping(
    "move-out",
    pgettext_lazy("action", "Move out"),
    _("The alerts are notified on their own, and are not correlated again."),
)


class MergeForm(CommentForm):
    partial = "merge"

    into = forms.ModelChoiceField(Incident.objects.none(), empty_label=None)

    def __init__(self, data: QueryDict | None, *, incidents: list[Incident], at: datetime, by: User) -> None:
        super().__init__(data, alerts=Alert.objects.unresolved().filter(incident__in=incidents), at=at, by=by)
        self.choices = incidents
        self.fields["into"].queryset = Incident.objects.filter(pk__in=[one.pk for one in incidents])  # type: ignore[attr-defined]

    def shown_into(self) -> int:
        """The chosen one; by default that with the most terminals."""
        sent = str(self["into"].value() or "")
        largest = max(self.choices, key=lambda one: (one.lost, -one.pk), default=None)
        return int(sent) if PRIMARY_KEY.fullmatch(sent) else largest.pk if largest else 0


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def merge_incidents(request: AuthenticatedRequest) -> HttpResponse:
    """Merge the selected unresolved incidents into the chosen one of them."""
    access.demand(request.user, Permission.HANDLE_ALERTS)
    at, is_sent = timezone.now(), request.method == "POST"
    selection = IncidentSelection.of(request.POST if is_sent else request.GET)
    chosen = _mergeable(selection, request)
    form = MergeForm(request.POST if is_sent else None, at=at, by=request.user, incidents=chosen)
    context = {"action": MERGING, "form": form, "at": at, "selection": selection, "nav_item": IncidentsPage.nav_item}
    context |= {"incidents": chosen if len(chosen) > 1 else []}
    if not is_sent or len(chosen) < 2 or not form.is_valid():
        status = HTTPStatus.OK if not is_sent else HTTPStatus.CONFLICT if len(chosen) < 2 else None
        return render_dialog(request, MERGE, context, status=status or HTTPStatus.UNPROCESSABLE_ENTITY)
    before = MergeBefore.of(chosen, form.cleaned_data["into"])
    try:
        into = merge(chosen, form.cleaned_data["into"], by=request.user, comment=form.cleaned_data["comment"], at=at)
    except AlreadyResolved:
        return render_dialog(request, MERGE, context | {"incidents": []}, status=HTTPStatus.CONFLICT)
    return _render_done(request, toast(_("Merged"), into.title, before.offer(by=request.user)), context, template=MERGE)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def move_alerts_out(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Move the selected unresolved alerts out of the incident."""
    access.demand(request.user, Permission.HANDLE_ALERTS)
    page = or_404(IncidentPage.open(request.GET, person=request.user, pk=str(pk)))
    access.demand(request.user, Permission.HANDLE_ALERTS, page.incident)
    at, is_sent = timezone.now(), request.method == "POST"
    sent = (request.POST if is_sent else request.GET).getlist("alert")
    pks = [int(text) for text in sent[:MAX_MEMBERS] if PRIMARY_KEY.fullmatch(text)]
    alerts = Alert.objects.unresolved().filter(incident=pk, pk__in=pks).select_related("rule", "terminal__site")
    form = CommentForm(request.POST if is_sent else None, alerts=alerts, at=at, by=request.user)
    context = {"action": MOVING, "form": form, "at": at, "incident": page.incident, "alerts": list(alerts)}
    context["nav_item"] = IncidentsPage.nav_item
    if not is_sent or not form.is_valid() or not context["alerts"]:
        status = HTTPStatus.OK if not is_sent else HTTPStatus.CONFLICT if form.is_valid() else None
        return render_dialog(request, MOVE_OUT, context, status=status or HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        moved = move_out(page.incident, pks, by=request.user, comment=form.cleaned_data["comment"], at=at)
    except AlreadyResolved:
        return render_dialog(request, MOVE_OUT, context | {"alerts": []}, status=HTTPStatus.CONFLICT)
    number = ngettext("%(n)s alert", "%(n)s alerts", len(moved)) % {"n": f"{len(moved):,}"}
    shown = toast(_("Moved out"), number, offer_putting_back(page.incident, moved, by=request.user))
    return _render_done(request, shown, context, template=MOVE_OUT, back=page.address)


def _mergeable(selection: IncidentSelection, request: AuthenticatedRequest) -> list[Incident]:
    shown = access.visible(Incident.objects.filter(pk__in=selection.pks).unresolved(), to=request.user)
    held = access.permitted(shown, by=request.user, permission=Permission.HANDLE_ALERTS)
    return list(held.select_related("site", "group", "rule").order_by("pk")[: 2 * MAX_ROWS])


def _render_done(
    request: AuthenticatedRequest,
    shown: Toast,
    context: dict[str, object],
    *,
    template: str,
    back: str = "",
) -> HttpResponse:
    if not request.htmx:
        add_toast(request, shown)
        return redirect(back or "incidents")
    answer = render_dialog(request, template, {**context, **shown}, partial="done")
    answer["HX-Trigger"] = "bulk-action-done"
    return answer
