"""Names the draft of a form that was accepted, so that the browser, which stores it, deletes it."""

import re
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url

FIELD, COOKIE = "_draft", "tms_draft_sent"
"""The cookie holds the random token of the draft, no secret, until the next page reads it."""
TOKEN = re.compile(r"[0-9a-f]{32}")
LASTS_S = 600
ACCEPTED = frozenset({HTTPStatus.FOUND, HTTPStatus.SEE_OTHER})
NOT_ACCEPTED = ("sign-in", "confirm", "security")
"""Pages that come between a form and its submission."""


class DraftMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if request.method == "POST" and is_accepted(answer) and TOKEN.fullmatch(token := request.POST.get(FIELD, "")):
            answer.set_cookie(COOKIE, token, max_age=LASTS_S, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax")
        return answer


def is_accepted(answer: HttpResponse) -> bool:
    """Forms that are accepted redirect to a page."""
    if answer.status_code not in ACCEPTED:
        return False
    return urlsplit(answer["Location"]).path not in {resolve_url(name) for name in NOT_ACCEPTED}
