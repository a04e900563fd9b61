"""Rejects U+0000 in the URL of a page: no text of the database contains it, and PostgreSQL raises an error."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext

NUL = "\0"
API = "/api/"
"""Responds with a problem document of its own."""


class NulMiddleware:
    """Runs after the middleware that activates the language, which its error message needs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(API) or not (where := _location(request)):
            return self.get_response(request)
        error = gettext("%(where)s contains the character U+0000 (%%00). Remove it from the address.")
        return render(request, "400.html", {"error": error % {"where": where}}, status=HTTPStatus.BAD_REQUEST)


def _location(request: HttpRequest) -> str:
    if NUL in request.path:
        return gettext("The path")
    if "%00" not in request.META.get("QUERY_STRING", ""):  # a cheap check that most requests pass
        return ""
    named = (name for name, values in request.GET.lists() if any(NUL in text for text in (name, *values)))
    return next((f"?{name.replace(NUL, '')[:64]}" for name in named), "")
