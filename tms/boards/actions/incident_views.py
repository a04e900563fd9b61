from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.permissions import Permission
from tms.alerts import correlation
from tms.alerts.actions.forms import AcknowledgeForm, CommentForm, NothingForm, SayForm
from tms.alerts.lifecycle import AlreadyResolved, ChangedMeanwhile
from tms.boards.lists.filters import PRIMARY_KEY
from tms.boards.pages import IncidentPage
from tms.boards.responses import CONFLICT, UNREADABLE, ask, found, show
from tms.boards.rows.incidents import IncidentRow, incident_rows

TEMPLATE = "boards/incident-deed.html"


class Deed(NamedTuple):
    form: type[CommentForm]
    do: Callable[..., Any]
    """A service of the fold, which takes the `terms` of the form."""


DEEDS: Mapping[str, Deed] = {
    "acknowledge": Deed(AcknowledgeForm, correlation.acknowledge),
    "claim": Deed(NothingForm, correlation.claim),
    "release": Deed(NothingForm, correlation.unclaim),
    "change": Deed(AcknowledgeForm, correlation.change_acknowledgement),
    "withdraw": Deed(CommentForm, correlation.reopen),
    "comment": Deed(SayForm, correlation.comment),
}
"""By its name in the address."""


@require_safe
@never_cache
@sign_in_required
def incident(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    return show(request, IncidentPage.open(request.GET, person=request.user, pk=str(pk)))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.HANDLE_ALERTS)
def do(request: AuthenticatedRequest, pk: int, deed: str) -> HttpResponse:
    """One of `DEEDS` to an incident, as the person saw it. Whoever was first, what one typed stays."""
    if deed not in DEEDS:
        raise Http404
    page = found(IncidentPage.open(request.GET, person=request.user, pk=str(pk)))
    at, is_sent, row = timezone.now(), request.method == "POST", _row(page)
    initial = {"contract": row.contract, "until": row.until}
    form = DEEDS[deed].form(request.POST if is_sent else None, at=at, initial=initial)
    context = {"deed": deed, "form": form, "incident": row, "at": at, "suits": deed in row.deeds}
    if not is_sent or not form.is_valid():
        return ask(request, TEMPLATE, context, status=UNREADABLE if is_sent else 200)
    terms = form.terms() | ({"version": _version(request)} if deed == "acknowledge" else {})
    is_possible = context["suits"] or deed == "acknowledge"  # which is done twice without harm
    if not (is_possible and _done(deed, page, request, at=at, **terms)):
        after = _row(page)
        context |= {"incident": after, "suits": deed in after.deeds, "is_too_late": True}
        return ask(request, TEMPLATE, context, status=CONFLICT)
    if not request.headers.get("HX-Request"):
        return redirect(page.incident)
    return render(request, f"{TEMPLATE}#done", {"said": gettext("Done: everyone sees that.")})


def _done(deed: str, page: IncidentPage, request: AuthenticatedRequest, *, at: datetime, **terms: Any) -> bool:
    """False when the recovery, or somebody else, was first."""
    try:
        after = DEEDS[deed].do(page.incident, by=request.user, at=at, **terms)
    except (AlreadyResolved, ChangedMeanwhile):
        return False
    return deed != "acknowledge" or after.acknowledged_by_id == request.user.pk


def _row(page: IncidentPage) -> IncidentRow:
    return incident_rows([page.incident.pk])[page.incident.pk]


def _version(request: AuthenticatedRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if PRIMARY_KEY.fullmatch(text) else None
