"""The wall screens among the pages of people: the list, pairing, one screen."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.factors.confirmation import recently_signed_in
from tms.accounts.models import ScreenPairing, WallScreen
from tms.accounts.people import context
from tms.accounts.people.context import Confirmation
from tms.accounts.screens import codes, pairing, services
from tms.accounts.screens.forms import PairingCodeForm, ScreenForm
from tms.accounts.screens.rows import managed, screen_rows
from tms.accounts.sessions import user_agent

TAB = "wall-screens"


@require_safe
@never_cache
@needs(services.PERMISSION)
def wall_screens(request: AuthenticatedRequest) -> HttpResponse:
    rows = screen_rows(managed(request.user), at=timezone.now())
    done = gettext("Paired. The screen starts by itself.") if request.GET.get("done") == "paired" else ""
    return context.page(request, "wall-screens", {"rows": rows, "code_form": PairingCodeForm(), "done": done}, tab=TAB)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(services.PERMISSION)
@recently_signed_in
def pair_screen(request: AuthenticatedRequest) -> HttpResponse:
    """First the code, then what the television is to show. The QR code beside the code leads here."""
    given = request.POST if request.method == "POST" else request.GET
    form = PairingCodeForm(given if "code" in given else None)
    waiting = _waiting(request, form) if form.is_bound and form.is_valid() else None
    if waiting is None:
        return context.page(request, "pair-screen", {"code_form": form}, tab=TAB, is_refused=bool(form.errors))
    return _pair(request, waiting)


def _waiting(request: AuthenticatedRequest, form: PairingCodeForm) -> ScreenPairing | None:
    """The television with the code of the form, which gets an error if there is none."""
    try:
        found = pairing.find(form.cleaned_data["code"], by=request.user, at=timezone.now())
    except pairing.TooManyError as error:
        minutes = max(1, round(error.wait_s / 60))
        text = ngettext(
            "Too many wrong codes. Try again in %(number)d minute.",
            "Too many wrong codes. Try again in %(number)d minutes.",
            minutes,
        )
        form.add_error("code", text % {"number": minutes})
        return None
    if found is None:
        form.add_error("code", gettext("No screen shows this code now. Enter the code that it shows."))
    return found


def _pair(request: AuthenticatedRequest, waiting: ScreenPairing) -> HttpResponse:
    is_sent = request.method == "POST"
    form = ScreenForm(request.POST if is_sent else None, by=request.user)
    if is_sent and form.is_valid():
        try:
            services.pair(waiting, form.screen(), by=request.user, at=timezone.now())
        except services.NotWaitingError:
            return redirect("pair-screen")
        return redirect(f"{reverse('wall-screens')}?done=paired")
    values = {"form": form, "waiting": waiting, "code": codes.format_code(waiting.code), **_device(waiting)}
    return context.page(request, "wall-screen", values, tab=TAB, is_refused=is_sent)


def _device(row: ScreenPairing | WallScreen) -> dict[str, object]:
    return {"address": row.address or "", "browser": user_agent.describe(row.browser)}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(services.PERMISSION)
def wall_screen(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    screen = get_object_or_404(managed(request.user), pk=pk)
    is_sent = request.method == "POST"
    form = ScreenForm(request.POST if is_sent else None, instance=screen, by=request.user)
    if is_sent and form.is_valid():
        try:
            services.change(form.screen())
        except WallScreen.NotUpdated:
            raise Http404 from None
        return redirect("wall-screens")
    [row] = screen_rows([get_object_or_404(managed(request.user), pk=pk)], at=timezone.now())
    values = {"form": form, "row": row, **_device(row.screen)}
    return context.page(request, "wall-screen", values, tab=TAB, is_refused=is_sent)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(services.PERMISSION)
def revoke_screen(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    screen = get_object_or_404(managed(request.user), pk=pk)
    if request.method == "POST":
        services.revoke(screen)
        return redirect("wall-screens")
    question = Confirmation(
        about=screen.name,
        title=gettext("Revoke this screen?"),
        consequences=[
            gettext("It closes at once, and shows a pairing code."),
            gettext("To show the wall again, it must be paired again."),
        ],
        act=gettext("Revoke"),
        back=reverse("wall-screens"),
    )
    return context.confirm(request, question, tab=TAB)
