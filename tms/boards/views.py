from typing import Any
from urllib.parse import urlsplit

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts.doors import Asked, acting, watching
from tms.alerts import lifecycle
from tms.alerts.lifecycle import AlreadyResolved
from tms.boards.charts import chart
from tms.boards.chosen import Chosen
from tms.boards.forms import AcknowledgeForm, CommandForm
from tms.boards.pages import AlertPage, AlertsPage, Desk, OverviewPage, Page, TerminalPage, TerminalsPage, page_at
from tms.boards.pages.base import Scene, nav
from tms.boards.painter import paint
from tms.boards.rows import WORST_FIRST, AlertRow, alert_rows
from tms.commands import services as commands
from tms.telemetry import series as telemetry

CONFLICT, UNREADABLE = 409, 422


@require_safe
@never_cache
@watching
def overview(request: Asked) -> HttpResponse:
    return _show(request, OverviewPage.open(request.GET, person=request.user))


@require_safe
@never_cache
@watching
def terminals(request: Asked) -> HttpResponse:
    return _show(request, TerminalsPage.open(request.GET, person=request.user), results="boards/terminals.html#results")


@require_safe
@never_cache
@watching
def terminal(request: Asked, uid: str) -> HttpResponse:
    return _show(request, TerminalPage.open(request.GET, person=request.user, uid=uid), form=CommandForm())


@require_safe
@never_cache
@watching
def series(request: Asked, uid: str) -> HttpResponse:
    page = _found(TerminalPage.open(request.GET, person=request.user, uid=uid))
    span = telemetry.SPANS.get(request.GET.get("span", ""), telemetry.SPANS[telemetry.DEFAULT_SPAN])
    return JsonResponse(chart(page.terminal, span, at=timezone.now()))


@require_POST
@acting
def send_command(request: Asked, uid: str) -> HttpResponse:
    page = _found(TerminalPage.open(request.GET, person=request.user, uid=uid))
    form = CommandForm(request.POST)
    if form.is_valid():
        commands.queue(page.terminal, args={}, by=request.user, at=timezone.now(), **form.cleaned_data)
        if not request.headers.get("HX-Request"):
            return redirect(page.terminal)
    return _show(
        request, page, results="boards/commands.html#ask", form=form, status=200 if form.is_valid() else UNREADABLE
    )


@require_safe
@never_cache
@watching
def alerts(request: Asked) -> HttpResponse:
    return _show(request, AlertsPage.open(request.GET, person=request.user), results="boards/alerts.html#results")


@require_safe
@never_cache
@watching
def alert(request: Asked, pk: int) -> HttpResponse:
    return _show(request, AlertPage.open(request.GET, person=request.user, pk=str(pk)), form=AcknowledgeForm())


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@acting
def acknowledge(request: Asked, pk: int) -> HttpResponse:
    """The dialog, and what it sends. Whoever was first, what one typed stays where it was typed."""
    page = _found(AlertPage.open(request.GET, person=request.user, pk=str(pk)))
    form = AcknowledgeForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _ask(request, page, form, status=UNREADABLE if request.method == "POST" else 200)
    try:
        taken = lifecycle.acknowledge(
            page.alert, by=request.user, comment=form.cleaned_data["comment"], at=timezone.now()
        )
    except AlreadyResolved:
        return _ask(request, page, form, status=CONFLICT)
    if taken.first or taken.alert.acknowledged_by_id == request.user.pk:
        return _acknowledged(request, page)
    return _ask(request, page, form, status=CONFLICT)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@acting
def acknowledge_many(request: Asked) -> HttpResponse:
    """The question, with how many it is about, and what it sends. To send it twice does and tells the same."""
    is_sent = request.method == "POST"
    chosen = Chosen.of(request.POST if is_sent else request.GET)
    form = AcknowledgeForm(request.POST if is_sent else None)
    if chosen.is_nothing or (is_sent and not form.is_valid()):
        return _of_many(request, "dialog", chosen, form=form, status=UNREADABLE)
    if not is_sent:
        return _of_many(request, "dialog", chosen, form=form)
    alerts, comment = chosen.alerts(to=request.user), form.cleaned_data["comment"]
    lifecycle.acknowledge_all(alerts, by=request.user, comment=comment, at=timezone.now())
    outcome = chosen.outcome(by=request.user)
    if not outcome.mine:
        return _of_many(request, "dialog", chosen, form=form, outcome=outcome, status=CONFLICT)
    answer = _of_many(request, "done", chosen, outcome=outcome)
    answer["HX-Trigger"] = "alerts-taken"
    return answer


@require_safe
@watching
def keys(request: Asked) -> HttpResponse:
    desk = Desk(timezone.now())
    return render(request, "boards/keys.html", {"scene": Scene(nav(desk)), "at": desk.at})


def _show(request: Asked, page: Page | None, *, results: str = "", status: int = 200, **extra: Any) -> HttpResponse:
    """A page whole, or for htmx the partial `results` of it."""
    page = _found(page)
    desk = Desk(timezone.now())
    scene = page.scene(desk)
    context = {"page": page, "place": page.place, "scene": scene, "at": desk.at, **page.furniture(scene), **extra}
    if not results or request.headers.get("HX-Request-Type") != "partial":
        return render(request, page.template, context, status=status)
    answer = render(request, results, context, status=status)
    if request.method == "GET":
        # The one spelling of the address, instead of every field that the form has.
        answer["HX-Replace-Url"] = page.address
    return answer


def _ask(request: Asked, page: AlertPage, form: AcknowledgeForm, *, status: int) -> HttpResponse:
    """The form to acknowledge, as a dialog for htmx and else on the alert's page."""
    context: dict[str, Any] = {"form": form, "is_too_late": status == CONFLICT}
    if not request.headers.get("HX-Request"):
        return redirect(page.alert) if status == 200 else _show(request, page, status=status, **context)
    (row,) = alert_rows([page.alert.pk]).values()
    return render(request, "boards/alert.html#dialog", {"alert": row, **context}, status=status)


def _of_many(request: Asked, partial: str, chosen: Chosen, *, status: int = 200, **extra: Any) -> HttpResponse:
    """What is asked and told of many alerts: for htmx the `partial`, else a page."""
    severities = chosen.severities(to=request.user)
    context = {
        "chosen": chosen,
        "severities": [(name, severities[name]) for name in WORST_FIRST if severities[name]],
        "number": severities.total(),
        "back": AlertsPage(request.user, chosen.matching).address,
        "at": timezone.now(),
        **extra,
    }
    if request.headers.get("HX-Request"):
        return render(request, f"boards/acknowledge-many.html#{partial}", context, status=status)
    context |= {"place": AlertsPage.place, "scene": Scene(nav(Desk(context["at"])))}
    return render(request, "boards/acknowledge-many.html", context, status=status)


def _acknowledged(request: Asked, page: AlertPage) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return redirect(page.alert)
    (row,) = alert_rows([page.alert.pk]).values()
    return render(request, "boards/alert.html#acknowledged", {"alert": row, "row": _row_on_page(request, row)})


def _row_on_page(request: Asked, row: AlertRow) -> str:
    """The row as the page has it from which the request came: the answer does not wait for the frame."""
    address = urlsplit(request.headers.get("HX-Current-URL", ""))
    page = page_at(address.path, person=request.user)
    part = page.alert_part(row, is_answer=True) if page else None
    return paint(part) if part else ""


def _found[P: Page](page: P | None) -> P:
    if page is None:
        raise Http404
    return page
