"""Pages at a past instant: `?at=` on the address of a live page."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django_htmx.http import replace_url

from tms.accounts.decorators import AuthenticatedRequest
from tms.boards.formatting import instants
from tms.boards.replay.chosen import ChosenInstant, WrongInstant, query_of
from tms.boards.replay.links import add_query, address_without_instant, with_instant
from tms.boards.replay.pages import PastPage
from tms.boards.replay.replayed_page import ReplayedPage
from tms.boards.responses import or_404
from tms.replay.slots import Busy, replay_slots
from tms.replay.state import earliest

FRAME = "boards/replay/frame.html"
STEP = "Replay-Step"
"""Header of a request for the parts of the page that depend on the instant."""
RETRY_AFTER_S = 2

type View[**P] = Callable[Concatenate[AuthenticatedRequest, P], HttpResponse]


def replayable[**P](past: type[PastPage]) -> Callable[[View[P]], View[P]]:
    """The view of a live page, which `past` shows at the instant of `?at=`."""

    def replaying(view: View[P]) -> View[P]:
        @wraps(view)
        def shown(request: AuthenticatedRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if "at" in request.GET:
                return _replay(request, past, **kwargs)
            return view(request, *args, **kwargs)

        return shown

    return replaying


def _replay(request: AuthenticatedRequest, past: type[PastPage], **names: Any) -> HttpResponse:
    page = or_404(past.open(request.GET, person=request.user, **names))
    live_url, now = address_without_instant(request.get_full_path()), timezone.now()
    first = earliest(now)
    try:
        chosen = ChosenInstant.of(request.GET, earliest=first, now=now, scope=page.scope)
        if "zone" in request.GET:
            return redirect(add_query(live_url, chosen.query))
        return _show(request, page, ReplayedPage(chosen, page.scope, first, live_url, now))
    except WrongInstant as error:
        return _unavailable(request, page, str(error), nearest=error.nearest)
    except ObjectDoesNotExist:
        return _unavailable(request, page, gettext("What this page shows did not exist at that time."), nearest=None)


def _show(request: AuthenticatedRequest, page: PastPage, replay: ReplayedPage) -> HttpResponse:
    slots, is_step = replay_slots(), STEP in request.headers
    try:
        with slots.step(request.user.pk) if is_step else slots.page(), instants.shown_at(replay.at):
            return _render(request, page, replay)
    except Busy:
        response = HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE) if is_step else _busy(request, page, replay)
        response["Retry-After"] = str(RETRY_AFTER_S)
        return response


def _render(request: AuthenticatedRequest, page: PastPage, replay: ReplayedPage) -> HttpResponse:
    page.instant = replay.at
    page_state = page.page_state(replay.context)
    context = {
        "page": page,
        "nav_item": page.nav_item,
        "page_state": page_state,
        "at": replay.at,
        "replay": replay,
        "frame": FRAME if STEP in request.headers else None,
        **page.static_context(page_state, person=request.user),
    }
    if not page.results or request.htmx.request_type != "partial":
        return render(request, page.template, context)
    answer = render(request, page.results, context)
    answer.content = with_instant(answer.content.decode(), replay.query).encode()
    replace_url(answer, add_query(page.address, replay.query))
    return answer


def _busy(request: AuthenticatedRequest, page: PastPage, replay: ReplayedPage) -> HttpResponse:
    text = gettext("TMS is busy with other replays. Try again in a few seconds.")
    return _unavailable(request, page, text, nearest=replay.at, status=HTTPStatus.SERVICE_UNAVAILABLE)


def _unavailable(
    request: AuthenticatedRequest,
    page: PastPage,
    message: str,
    *,
    nearest: datetime | None,
    status: int = HTTPStatus.UNPROCESSABLE_ENTITY,
) -> HttpResponse:
    """Says why, and offers the nearest instant that can be shown."""
    live_url = address_without_instant(request.get_full_path())
    nearest_url = add_query(live_url, query_of(nearest)) if nearest else ""
    context = {
        "nav_item": page.nav_item,
        "message": message,
        "nearest": nearest,
        "nearest_url": nearest_url,
        "live_url": live_url,
    }
    return render(request, "boards/replay/unavailable.html", context, status=status)
