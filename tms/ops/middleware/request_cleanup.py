"""Breaks the reference cycles of a finished request, so that it need not wait for the garbage collector."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

KNOW_IT = ("user", "auser", "_messages", "htmx", "_cached_user")
"""Attributes that other code sets on a request, and that refer to it."""


class RequestCleanupMiddleware:
    """The outermost middleware. Without it each page leaves 8 to 20 KiB to collections, which are rare here
    (`tms.server.memory`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not response.streaming:  # else it has not been created yet
            for name in KNOW_IT:
                request.__dict__.pop(name, None)
        return response
