"""`/health/` and `/metrics` under any host name."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

PATHS = frozenset({"/health/", "/metrics"})


class AnyHostMiddleware:
    """Load balancers and Prometheus call a process by its address, which is not in TMS_ALLOWED_HOSTS, and should not
    be. These two pages do not use the host, so any is accepted; they need no session or person either.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in PATHS:
            return self.get_response(request)
        view, arguments, options = resolve(request.path_info)
        response: HttpResponse = view(request, *arguments, **options)
        return response
