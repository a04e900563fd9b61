"""The page of a link in a message. Reading it changes nothing: scanners of mail and chat open every link."""

import math
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from tms.accounts.sign_in import counters
from tms.accounts.sign_in.counters import Limit
from tms.accounts.sign_in.throttle import network
from tms.metrics.instruments import ACTION_LINKS
from tms.notifications.action_links import links, services
from tms.notifications.action_links.links import MessageLink
from tms.notifications.action_links.services import LinkOutcome, Result

WINDOW_S = 600
INVALID_OF_NETWORK = 60
"""Invalid tokens from one address (IPv6: one /64) in ten minutes. Valid ones are not counted here."""
USES_OF_LINK = 20
"""Submissions of one link in ten minutes."""
STATUS = {
    LinkOutcome.EXPIRED: HTTPStatus.GONE,
    LinkOutcome.REVOKED: HTTPStatus.FORBIDDEN,
}


@csrf_exempt  # the token is the credential; no cookie has a part in it
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def act(request: HttpRequest, token: str) -> HttpResponse:
    link = links.find(token)
    if link is None:
        return _invalid(request)
    with translation.override(link.delivery.language):
        if request.method != "POST":
            return _answer(request, link, services.preview(link, at=timezone.now()))
        wait_s = _wait_s(Limit("link", _key("link", link.delivery.uid.hex), USES_OF_LINK, WINDOW_S))
        return (
            _wait(request, wait_s) if wait_s else _answer(request, link, services.acknowledge(link, at=timezone.now()))
        )


def headline(result: Result) -> str:
    """What happened, or what can be done."""
    match result.outcome:
        case LinkOutcome.READY:
            return gettext("Acknowledge?")
        case LinkOutcome.ACKNOWLEDGED:
            return gettext("Acknowledged")
        case LinkOutcome.USED:
            return gettext("This link was already used")
        case LinkOutcome.TAKEN if result.by:
            return gettext("Already acknowledged by %(who)s") % {"who": result.by}
        case LinkOutcome.TAKEN:
            return gettext("Already acknowledged")
        case LinkOutcome.RESOLVED:
            return gettext("Already resolved")
        case LinkOutcome.EXPIRED:
            return gettext("This link has expired")
        case _:
            return gettext("You may no longer acknowledge this")


def _answer(request: HttpRequest, link: MessageLink, result: Result) -> HttpResponse:
    """The page; JSON for the worker that shows notifications."""
    content: Mapping[str, Any] = link.delivery.content
    title, status = content.get("title", ""), STATUS.get(result.outcome, HTTPStatus.OK)
    if not request.accepts("text/html"):
        return JsonResponse({"title": headline(result), "body": title}, status=status)
    lines = [line for line in content.get("lines", ()) if "://" not in line]  # one is the address
    context = {"link": link, "result": result, "title": title, "lines": lines, "path": _path(link)}
    return _page(request, headline(result), context, status=status)


def _invalid(request: HttpRequest) -> HttpResponse:
    """The same for a wrong signature and a deleted delivery."""
    ACTION_LINKS.labels("invalid").inc()
    name = network(request.META.get("REMOTE_ADDR", ""))
    if wait_s := _wait_s(Limit("network", _key("network", name), INVALID_OF_NETWORK, WINDOW_S)):
        return _wait(request, wait_s)
    return _page(request, gettext("This link is not valid"), {}, status=HTTPStatus.NOT_FOUND)


def _wait(request: HttpRequest, wait_s: float) -> HttpResponse:
    ACTION_LINKS.labels("limited").inc()
    minutes = max(1, math.ceil(wait_s / 60))
    text = ngettext(
        "Too many attempts. Try again in %(number)d minute.",
        "Too many attempts. Try again in %(number)d minutes.",
        minutes,
    )
    response = _page(request, text % {"number": minutes}, {}, status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(math.ceil(wait_s))
    return response


def _page(request: HttpRequest, text: str, context: Mapping[str, object], *, status: HTTPStatus) -> HttpResponse:
    if not request.accepts("text/html"):
        return JsonResponse({"title": text, "body": ""}, status=status)
    values = {**context, "headline": text, "hours": settings.ACTION_LINK_HOURS}
    response = render(request, "notifications/act.html", values, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _path(link: MessageLink) -> str:
    """The page in TMS, for which the person signs in."""
    items = list(link.delivery.items.select_related("alert", "incident")[:2])
    return items[0].subject.get_absolute_url() if len(items) == 1 else resolve_url("alerts")


def _wait_s(limit: Limit) -> float:
    """Count one. Seconds to wait if the limit was reached before; otherwise 0."""
    block = counters.apply(lambda each: each.begin([limit], secrets.token_hex(8)))
    return block.wait_s if block else 0.0


def _key(kind: str, name: str) -> str:
    return f"action-link-{kind}-{salted_hmac(links.SALT, name, algorithm='sha256').hexdigest()[:32]}"
