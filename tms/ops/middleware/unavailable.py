"""Pages while the database is not available: a 503 of TMS, before a proxy gives up."""

import sys
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template import loader
from django.views.defaults import server_error

from tms.config.database_deadline import database_answers_within

log = structlog.get_logger(__name__)

DEADLINE_S = 20.0
"""Deadline for all statements of a request. nginx waits 30 s."""


class DatabaseDeadlineMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with database_answers_within(DEADLINE_S):
            return self.get_response(request)


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler of uncaught exceptions, in views and in middleware."""
    error = sys.exception()
    if not isinstance(error, OperationalError | InterfaceError):
        return server_error(request)
    log.warning("page_unavailable", path=request.path, error=repr(error))
    # Without the request, because whose it is cannot be asked now.
    page = loader.get_template("503.html").render()
    return HttpResponse(page, status=503, headers={"Retry-After": str(settings.RETRY_AFTER_S)})
