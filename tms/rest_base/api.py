"""The REST API as a whole: routing, errors, OpenAPI document and metrics."""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, wraps
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path, register_converter, reverse
from django.urls.converters import PathConverter
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.renderers import JSONRenderer

from tms.accounts.access import Forbidden
from tms.metrics import instruments
from tms.rest_base import problems
from tms.rest_base.openapi import describe
from tms.rest_base.parser import StrictParser
from tms.rest_base.problems import ProblemError, RequestFault, forbidden, problem, unreadable
from tms.rest_base.router import ApiRouter

log = structlog.get_logger(__name__)

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class Anything(PathConverter):
    """Django's own converter stops at a line break, so its HTML page for 404 would be returned."""

    regex = r"(?s:.+)"


register_converter(Anything, "anything")


class Renderer(JSONRenderer):
    json_dumps_params: Mapping[str, object] = {"ensure_ascii": False}


class Api(NinjaAPI):
    def __init__(self, router: Iterable[ApiRouter], refusals: Mapping[type[Exception], int], **options: Any) -> None:
        """`refusals`: the status of each domain error, whose `code` is the problem type."""
        super().__init__(
            docs_url=None, docs_decorator=require_GET, parser=StrictParser(), renderer=Renderer(), **options
        )
        for some in router:
            self.add_router("", some)
        for kind, status in refusals.items():
            self.add_exception_handler(kind, _refusing(status))

    @property
    def urls(self) -> tuple[list[URLPattern | URLResolver], str, str]:
        patterns, application, namespace = super().urls
        patterns.append(path("<anything:rest>", unknown, name="api-unknown"))
        for pattern in patterns:
            assert isinstance(pattern, URLPattern)
            pattern.callback = answering(pattern.callback)
        return patterns, application, namespace

    def set_default_exception_handlers(self) -> None:
        for kind, handler in HANDLERS.items():
            self.add_exception_handler(kind, handler)

    def get_openapi_schema(self, **_: object) -> Any:
        return self._description

    @cached_property
    def _description(self) -> Any:
        return describe(super().get_openapi_schema())


def answering(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Convert every error to problem+json, and record request metrics."""

    @wraps(view)
    @never_cache
    def answered(request: HttpRequest, **names: object) -> HttpResponse:
        began = time.perf_counter()
        method = request.method if request.method in METHODS else "other"
        if method == "HEAD":  # the server leaves the body out
            request.method = "GET"
        answer = _answer(view, request, names)
        route = request.resolver_match.route if request.resolver_match else ""
        instruments.API_REQUESTS.labels(route, method, str(answer.status_code)).inc()
        instruments.API_SECONDS.labels(route, method).observe(time.perf_counter() - began)
        return answer

    answered.csrf_exempt = True  # type: ignore[attr-defined]  # who calls has a token, and no cookies
    return answered


def unknown(request: HttpRequest, **_: object) -> HttpResponse:
    docs = reverse("api-docs")
    return problem(404, "tms:not-found", f"there is no resource at {request.path}; {docs} lists those that exist")


def answer_failure(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("api_failed", path=request.path, exc_info=error)
    return problem(500, "tms:failed", "internal error in TMS; see its log")


def away(request: HttpRequest, error: Exception) -> HttpResponse:
    log.warning("api_away", path=request.path, error=repr(error))
    retry = {"Retry-After": str(settings.RETRY_AFTER_S)}
    return ProblemError(
        503, "tms:unavailable", "the database is not responding; try again later", headers=retry
    ).answer()


def answer_conflict(request: HttpRequest, error: Exception) -> HttpResponse:
    log.warning("api_clashed", path=request.path, error=repr(error))
    return problem(409, "tms:clash", "conflicts with a concurrent change; read the resource again and retry")


def _answer(view: Callable[..., HttpResponse], request: HttpRequest, names: dict[str, object]) -> HttpResponse:
    try:
        answer = view(request, **names)
    except Http404:
        return unknown(request)
    if answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED and answer["Content-Type"] != problems.CONTENT_TYPE:
        named = set(answer["Allow"].split(", "))
        allowed = ", ".join(sorted(named | ({"HEAD"} if "GET" in named else set())))
        return ProblemError(
            405, "tms:unknown-method", f"method not allowed; use {allowed}", headers={"Allow": allowed}
        ).answer()
    return answer


def _refusing(status: int) -> Callable[[HttpRequest, Any], HttpResponse]:
    return lambda _, error: problem(status, error.code, str(error))


def _of_ninja(request: HttpRequest, error: Any) -> HttpResponse:
    if isinstance(error.__cause__, ProblemError):
        return error.__cause__.answer()
    return problem(error.status_code, "tms:bad-request", str(error))


HANDLERS: Mapping[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
    Exception: answer_failure,
    OperationalError: away,
    InterfaceError: away,
    IntegrityError: answer_conflict,
    Http404: lambda request, _: unknown(request),
    ProblemError: lambda _, refused: refused.answer(),
    Forbidden: lambda _, error: forbidden(error.permission).answer(),
    ValidationError: lambda _, error: unreadable(*_faults(error)).answer(),
    HttpError: _of_ninja,
}


def _faults(error: ValidationError) -> Iterable[RequestFault]:
    return (RequestFault(_where(one["loc"]), one["msg"].removeprefix("Value error, ")) for one in error.errors)


def _where(location: tuple[str | int, ...]) -> str:
    """`("body", "body", "thresholds", 0, "limit")` → `$.thresholds[0].limit`; `("query", "limit")` → `?limit`."""
    source, *names = location
    if source != "body":
        return "?" + next((name for name in reversed(names) if isinstance(name, str)), "")
    return "$" + "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in names[1:])
