"""The wall: for a paired screen, for a person, and before the pairing a code."""

from http import HTTPStatus
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tms.accounts import access
from tms.accounts.access import Person
from tms.accounts.audit.recorder import address_of
from tms.accounts.me.time_zone import chosen_zone
from tms.accounts.models import ScreenPairing, Theme, User, WallBoard, WallScreen
from tms.accounts.screens import codes, credentials, pairing
from tms.accounts.screens.viewer import ScreenViewer
from tms.boards.pages import RenderContext, WallPage
from tms.lib.qr_code import qr_path

EVERY_S = 15
MIN_EVERY_S, MAX_EVERY_S = 5, 600


class Look(NamedTuple):
    """How one browser shows the wall."""

    name: str
    boards: tuple[str, ...]
    every_s: int
    theme: str
    time_zone: str
    sounds: tuple[str, ...] | None
    """The severities that sound; None for those chosen in the browser."""
    is_screen: bool = False


@require_safe
@never_cache
def wall(request: HttpRequest) -> HttpResponse:
    """A screen comes first: a television must not depend on a person who signed in there once."""
    admission = credentials.admit(
        credentials.secret_in(request.COOKIES),
        at=timezone.now(),
        address=address_of(request),
        browser=request.META.get("HTTP_USER_AGENT", ""),
        may_replace=True,
    )
    if admission is not None:
        with translation.override(admission.screen.language):
            answer = _wall(request, ScreenViewer(admission.screen), _look_of(admission.screen))
        answer["Content-Language"] = admission.screen.language
        if admission.new_secret:
            credentials.store(answer, admission.new_secret)
        return answer
    person = request.user
    if isinstance(person, User) and access.may_watch(person):
        return _wall(request, person, _look_for(request, person))
    return _pairing(request, pairing.of_television(credentials.secret_in(request.COOKIES), at=timezone.now()))


@require_POST
@never_cache
def new_code(request: HttpRequest) -> HttpResponse:
    """The page sends this by itself: when it has no code, and when its code expires."""
    try:
        started = pairing.start(
            credentials.secret_in(request.COOKIES),
            address=address_of(request),
            browser=request.META.get("HTTP_USER_AGENT", ""),
            at=timezone.now(),
        )
    except pairing.TooManyError as error:
        return _pairing(request, None, wait_s=max(1, round(error.wait_s)))
    answer = redirect("wall")
    credentials.store(answer, started.secret, is_paired=False)
    return answer


def _wall(request: HttpRequest, viewer: Person, look: Look) -> HttpResponse:
    page = WallPage.open(request.GET, person=viewer)
    context = RenderContext(timezone.now(), page.scope)
    page_state = page.page_state(context)
    values = {
        "page": page,
        "page_state": page_state,
        "look": look,
        **page.static_context(page_state, person=viewer),
    }
    return render(request, page.template, values)


def _look_of(screen: WallScreen) -> Look:
    theme = "" if screen.theme == Theme.SYSTEM else screen.theme
    boards = _known_boards(screen.boards)
    return Look(screen.name, boards, screen.every_s, theme, screen.time_zone, tuple(screen.sounds), is_screen=True)


def _look_for(request: HttpRequest, person: User) -> Look:
    """A person chooses boards and their time in the URL: `?board=overview&board=sites&every_s=20`."""
    zone = chosen_zone(person)
    return Look(
        name="TMS",
        boards=_known_boards(request.GET.getlist("board")),
        every_s=_seconds(request.GET.get("every_s", "")),
        theme="" if person.theme == Theme.SYSTEM else person.theme,
        time_zone=zone.key if zone else "",
        sounds=None if person.sounds is None else tuple(person.sounds),
    )


def _known_boards(names: list[str]) -> tuple[str, ...]:
    found = tuple(name for name in WallBoard.values if name in names)
    return found or (WallBoard.OVERVIEW.value,)


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        return EVERY_S
    return min(MAX_EVERY_S, max(MIN_EVERY_S, int(text)))


def _pairing(request: HttpRequest, waiting: ScreenPairing | None, *, wait_s: int = 0) -> HttpResponse:
    context: dict[str, object] = {"waiting": waiting, "wait_s": wait_s, "wait_minutes": max(1, round(wait_s / 60))}
    if waiting is not None:
        context["left_s"] = max(1, round((waiting.expires_at - timezone.now()).total_seconds()))
        address = request.build_absolute_uri(reverse("pair-screen"))
        side, path = qr_path(f"{address}?code={waiting.code}")
        context |= {"code": codes.format_code(waiting.code), "side": side, "path": path}
        context["address"] = address.partition("://")[2]
    status = HTTPStatus.TOO_MANY_REQUESTS if wait_s else HTTPStatus.OK
    answer = render(request, "boards/wall/pairing.html", context, status=status)
    if wait_s:
        answer["Retry-After"] = str(wait_s)
    return answer
