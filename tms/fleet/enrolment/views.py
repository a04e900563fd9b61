"""The pages on which people enrol terminals. A token is shown once, in the response itself: nothing stores it."""

from http import HTTPStatus
from typing import NamedTuple

from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.fleet.enrolment import factory, factory_list, planned, refusals, rows, tokens
from tms.fleet.enrolment.factory_list import BadList, ListError
from tms.fleet.enrolment.forms import EnrolForm, FactoryForm, ManyForm, sites_to_enrol_at
from tms.fleet.enrolment.instructions import instructions
from tms.fleet.enrolment.planned import Progress
from tms.fleet.models import EnrolmentToken, Site, Terminal, TerminalKind
from tms.fleet.terminals.services import TerminalValues

MAX_NAME_CHARACTERS = 100
ENROL = Permission.ENROL_TERMINALS


class EnrolTab(NamedTuple):
    label: str
    address: str
    is_current: bool


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(ENROL)
def enrol(request: AuthenticatedRequest) -> HttpResponse:
    """A POST plans one terminal, and answers with its token."""
    is_sent = request.method == "POST"
    form = EnrolForm(request.POST if is_sent else None, by=request.user, site=request.GET.get("site", ""))
    if is_sent and form.is_valid():
        at = timezone.now()
        try:
            terminal, token = planned.plan(
                form.values, uid=form.cleaned_data["uid"], by=request.user, at=at, valid=form.valid
            )
        except IntegrityError:  # another person took it since the form was checked
            form.add_error("uid", gettext("Another terminal has this UID. Choose another one."))
        else:
            return _show_terminal(request, terminal, token=token)
    context: dict[str, object] = {"form": form, "recent": rows.recent(request.user), "new_site": reverse("new-site")}
    return _page(request, "one", context, tab="enrol", is_refused=is_sent)


@require_safe
@never_cache
@needs(ENROL)
def suggest_uid(request: AuthenticatedRequest) -> HttpResponse:
    """The UID that a terminal of this site and kind gets if nobody enters one."""
    site = sites_to_enrol_at(request.user, creates=True).filter(code=request.GET.get("site", "")).first()
    kind = request.GET.get("kind", "")
    uid = planned.next_uid(TerminalValues(site, TerminalKind(kind))) if site and kind in TerminalKind else ""
    return render(request, "fleet/enrol/one.html#suggestion", {"uid": uid})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(ENROL)
def enrol_token(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """How far a planned terminal is; a POST gives it another token, in place of the one before."""
    terminal = _terminal(request, uid)
    if request.method != "POST":
        return _show_terminal(request, terminal)
    try:
        token = planned.renew_token(terminal, by=request.user, at=timezone.now())
    except planned.AlreadyConnected:
        return redirect("enrol-token", uid)
    return _show_terminal(request, terminal, token=token)


@require_safe
@never_cache
@needs(ENROL)
def enrol_waiting(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """How far the device is: the page asks every two seconds. Once it is connected, the used token disappears."""
    terminal = _terminal(request, uid)
    progress = planned.progress_of(terminal, at=timezone.now())
    if progress == Progress.CONNECTED:
        return HttpResponseClientRedirect(reverse("enrol-token", args=(uid,)))
    context = {"terminal": terminal, "progress": progress, "refusals": refusals.of_terminal(terminal)}
    return render(request, "fleet/enrol/one.html#progress", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(ENROL)
def enrol_many(request: AuthenticatedRequest) -> HttpResponse:
    """Tokens for many terminals; a POST makes one, and answers with it."""
    is_sent = request.method == "POST"
    form = ManyForm(request.POST if is_sent else None, by=request.user)
    shown: dict[str, object] = {}
    if is_sent and form.is_valid():
        limits = form.limits
        site = limits.site.pk if limits.site else None
        access.demand_within(request.user, ENROL, Scope.of(region=limits.region, site=site))
        token = tokens.make_token(limits, by=request.user, at=timezone.now(), valid=form.valid)
        command = instructions(
            request,
            token,
            kind="" if limits.kind else TerminalKind.KIOSK.value,
            needs_site=bool(limits.region),
            needs_serial=bool(limits.serials),
        )
        shown = {"made": limits, "instructions": command}
        form = ManyForm(by=request.user)
    context = {"form": form, "tokens": rows.token_rows(request.user, at=timezone.now()), **shown}
    return _page(request, "many", context, tab="enrol-many", is_refused=form.is_bound)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(ENROL)
def withdraw_enrol_token(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Asks first."""
    token = get_object_or_404(access.visible(EnrolmentToken.objects.select_related("site"), to=request.user), pk=pk)
    access.demand(request.user, ENROL, token)
    if request.method == "POST":
        tokens.withdraw_token(token, at=timezone.now())
        return redirect("enrol-many")
    return _page(request, "withdraw", {"token": token}, tab="enrol-many")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(ENROL)
def enrol_factory(request: AuthenticatedRequest) -> HttpResponse:
    """The list of a factory; a POST reads it, all or nothing."""
    access.demand(request.user, Permission.MANAGE_TERMINALS)
    is_sent = request.method == "POST"
    form = FactoryForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    context: dict[str, object] = {"form": form, "columns": ",".join(factory_list.COLUMNS)}
    is_refused = is_sent
    if is_sent and form.is_valid():
        try:
            context["taken"] = _take_over(request, form)
            is_refused = False
        except BadList as error:
            context["errors"] = error.errors
        except IntegrityError:
            text = gettext("other people added terminals at the same time; upload the file again")
            context["errors"] = [ListError(1, "", text)]
    return _page(request, "factory", context, tab="enrol-factory", is_refused=is_refused)


def _take_over(request: AuthenticatedRequest, form: FactoryForm) -> factory.FactoryResult:
    """Raises BadList or IntegrityError."""
    sites: dict[str, Site] = {site.code: site for site in sites_to_enrol_at(request.user, creates=True)}
    file = form.cleaned_data["file"]
    devices = factory_list.read(file.read(factory_list.MAX_BYTES + 1), sites=sites)
    return factory.take_over(devices, name=file.name[:MAX_NAME_CHARACTERS], by=request.user, at=timezone.now())


def _terminal(request: AuthenticatedRequest, uid: str) -> Terminal:
    seen = access.visible(Terminal.objects.select_related("site", "state"), to=request.user)
    terminal = get_object_or_404(seen, uid=uid)
    access.demand(request.user, ENROL, terminal)
    return terminal


def _show_terminal(request: AuthenticatedRequest, terminal: Terminal, *, token: str = "") -> HttpResponse:
    context: dict[str, object] = {
        "terminal": terminal,
        "progress": planned.progress_of(terminal, at=timezone.now()),
        "token": planned.newest_token(terminal),
        "recent": rows.recent(request.user),
        "refusals": refusals.of_terminal(terminal),
    }
    if token:
        context["instructions"] = instructions(request, token)
    return _page(request, "one", context, tab="enrol")


def _page(
    request: AuthenticatedRequest, template: str, context: dict[str, object], *, tab: str, is_refused: bool = False
) -> HttpResponse:
    """A page below the tabs; `is_refused`: a form on it has errors."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    shared = {"nav_item": "terminals", "tabs": _tabs(request, tab)}
    return render(request, f"fleet/enrol/{template}.html", {**shared, **context}, status=status)


def _tabs(request: AuthenticatedRequest, current: str) -> list[EnrolTab]:
    labels = {"enrol": gettext("One terminal"), "enrol-many": gettext("Many terminals")}
    if access.may(request.user, Permission.MANAGE_TERMINALS):
        labels["enrol-factory"] = gettext("Factory list")
    return [EnrolTab(label, reverse(name), name == current) for name, label in labels.items()]
