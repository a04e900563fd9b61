"""What people do to alerts: the question, as a dialog for htmx and else as a page, and what it sends."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.alerts import lifecycle
from tms.alerts.actions.forms import AcknowledgeForm, CommentForm
from tms.alerts.actions.registry import DEEDS, Deed
from tms.alerts.lifecycle import AlreadyResolved, ChangedMeanwhile
from tms.alerts.models import Alert
from tms.boards.actions.deeds import FORMS
from tms.boards.actions.selection import AlertSelection
from tms.boards.lists.filters import PRIMARY_KEY
from tms.boards.pages import AlertPage, AlertsPage
from tms.boards.responses import CONFLICT, UNREADABLE, ask, done, found, row_of, show
from tms.boards.rows.alerts import AlertRow
from tms.boards.rows.common import WORST_FIRST

METHODS = ["GET", "HEAD", "POST"]
ONE, MANY = "boards/deed.html", "boards/deeds.html"
MANY_ACKNOWLEDGED = "boards/acknowledge-many.html"


@require_http_methods(METHODS)
@never_cache
@needs(Permission.HANDLE_ALERTS)
def acknowledge(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Whoever was first, what one typed stays where it was typed."""
    page, at, is_sent = _page(request, pk), timezone.now(), request.method == "POST"
    form = AcknowledgeForm(request.POST if is_sent else None, at=at)
    if not is_sent or not form.is_valid():
        return _ask_to_acknowledge(request, page, form, status=UNREADABLE if is_sent else 200)
    try:
        taken = lifecycle.acknowledge(page.alert, by=request.user, at=at, version=_version(request), **form.terms())
    except (AlreadyResolved, ChangedMeanwhile):
        return _ask_to_acknowledge(request, page, form, status=CONFLICT)
    if taken.first or taken.alert.acknowledged_by_id == request.user.pk:
        return done(request, page, said=gettext("You have it: everyone sees that."))
    return _ask_to_acknowledge(request, page, form, status=CONFLICT)


@require_http_methods(METHODS)
@never_cache
@needs(Permission.HANDLE_ALERTS)
def acknowledge_many(request: AuthenticatedRequest) -> HttpResponse:
    """The question says how many it is about. To send it twice does and tells the same."""
    at, is_sent = timezone.now(), request.method == "POST"
    chosen = AlertSelection.of(request.POST if is_sent else request.GET)
    form = AcknowledgeForm(request.POST if is_sent else None, at=at)
    context = _of_many(request, chosen) | {"form": form, "at": at}
    if chosen.is_nothing or (is_sent and not form.is_valid()):
        return ask(request, MANY_ACKNOWLEDGED, context, status=UNREADABLE)
    if not is_sent:
        return ask(request, MANY_ACKNOWLEDGED, context)
    lifecycle.acknowledge_all(chosen.alerts(to=request.user), by=request.user, at=at, **form.terms())
    context |= _of_many(request, chosen) | {"outcome": chosen.outcome(by=request.user)}
    if not context["outcome"].mine:
        return ask(request, MANY_ACKNOWLEDGED, context, status=CONFLICT)
    return _many_done(request, MANY_ACKNOWLEDGED, context)


@require_http_methods(METHODS)
@never_cache
@needs(Permission.HANDLE_ALERTS)
def do(request: AuthenticatedRequest, pk: int, deed: str) -> HttpResponse:
    """One of `DEEDS` to one alert, as the person saw it."""
    what, page, at, is_sent = _deed(deed), _page(request, pk), timezone.now(), request.method == "POST"
    row = row_of(page)
    form = FORMS[deed](request.POST if is_sent else None, at=at, initial=_initial(row))
    context = {"deed": deed, "form": form, "alert": row, "at": at, "suits": _suits(what, page.alert)}
    if not is_sent or not form.is_valid():
        return ask(request, ONE, context, status=UNREADABLE if is_sent else 200)
    alerts, version = Alert.objects.filter(pk=pk), _version(request)
    if version is not None:
        alerts = alerts.filter(version=version)
    if what.do(alerts, by=request.user, at=at, **form.terms()):
        return done(request, page, said=gettext("Done: everyone sees that."))
    context |= {"alert": row_of(page), "suits": _suits(what, page.alert), "is_too_late": True}
    return ask(request, ONE, context, status=CONFLICT)


@require_http_methods(METHODS)
@never_cache
@needs(Permission.HANDLE_ALERTS)
def do_many(request: AuthenticatedRequest, deed: str) -> HttpResponse:
    """One of `DEEDS` to all that are ticked, or that match, in one transaction."""
    what, at, is_sent = _deed(deed), timezone.now(), request.method == "POST"
    chosen = AlertSelection.of(request.POST if is_sent else request.GET)
    form = FORMS[deed](request.POST if is_sent else None, at=at)
    alerts = what.suits(chosen.alerts(to=request.user))
    number = alerts.count()
    context = {"deed": deed, "form": form, "chosen": chosen, "number": number, "at": at, "back": _back(request, chosen)}
    if not is_sent:
        every = what.suits(chosen.every().alerts(to=request.user)).count()
        context["every"] = 0 if chosen.is_all or every <= number else every
    if chosen.is_nothing or (is_sent and not form.is_valid()):
        return ask(request, MANY, context, status=UNREADABLE)
    if not is_sent:
        return ask(request, MANY, context)
    context["done"] = what.do(alerts, by=request.user, at=at, **form.terms())
    if not context["done"]:
        return ask(request, MANY, context | {"is_too_late": True}, status=CONFLICT)
    return _many_done(request, MANY, context)


def _page(request: AuthenticatedRequest, pk: int) -> AlertPage:
    return found(AlertPage.open(request.GET, person=request.user, pk=str(pk)))


def _deed(name: str) -> Deed:
    if name not in DEEDS:
        raise Http404
    return DEEDS[name]


def _suits(deed: Deed, alert: Alert) -> bool:
    return deed.suits(Alert.objects.filter(pk=alert.pk)).exists()


def _initial(alert: AlertRow) -> dict[str, Any]:
    """What the question begins with: how it is now."""
    return {"contract": alert.contract, "until": alert.until}


def _version(request: AuthenticatedRequest) -> int | None:
    """Of the alert as the person saw it; a form without it is of whoever wants it as it is now."""
    text = request.POST.get("version", "")
    return int(text) if PRIMARY_KEY.fullmatch(text) else None


def _back(request: AuthenticatedRequest, chosen: AlertSelection) -> str:
    return AlertsPage(request.user, chosen.matching).address


def _of_many(request: AuthenticatedRequest, chosen: AlertSelection) -> dict[str, Any]:
    severities = chosen.severities(to=request.user)
    return {
        "chosen": chosen,
        "severities": [(name, severities[name]) for name in WORST_FIRST if severities[name]],
        "number": severities.total(),
        "back": _back(request, chosen),
    }


def _many_done(request: AuthenticatedRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    answer = ask(request, template, context, partial="done")
    answer["HX-Trigger"] = "alerts-taken"
    return answer


def _ask_to_acknowledge(
    request: AuthenticatedRequest, page: AlertPage, form: CommentForm, *, status: int
) -> HttpResponse:
    """As a dialog for htmx, and else on the alert's page."""
    context: dict[str, Any] = {"form": form, "is_too_late": status == CONFLICT, "at": form.at}
    if request.headers.get("HX-Request"):
        return ask(request, "boards/alert.html", {"alert": row_of(page), **context}, status=status)
    return redirect(page.alert) if status == 200 else show(request, page, status=status, **context)
