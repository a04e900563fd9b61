"""What all SCIM endpoints share: authentication, limits, errors and metrics.

The library for SCIM is imported by the first request: a process that serves none does not pay for it.
"""

import math
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from structlog.contextvars import bind_contextvars

from tms.accounts import access, api_tokens
from tms.accounts.models import ApiToken, TokenScope, User
from tms.accounts.permissions import Permission
from tms.accounts.scim.errors import ScimError, document, forbidden, not_found
from tms.accounts.scope import EVERYTHING
from tms.metrics.instruments import API_REQUESTS, API_SECONDS

log = structlog.get_logger(__name__)

LARGEST_BODY = 524_288
MAX_QUERY_CHARACTERS = 4_096


class ScimRequest(HttpRequest):
    """A request of the directory. Its `person` is a service account, which the audit trail names."""

    person: User
    token: ApiToken


def endpoint(
    *methods: str,
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    def guard(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @csrf_exempt  # the directory has a token, and no cookies
        @never_cache
        @wraps(view)
        def answered(request: ScimRequest, **names: Any) -> HttpResponse:
            began = time.perf_counter()
            method = request.method if request.method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} else "other"
            if request.method == "HEAD":  # the server leaves the body out
                request.method = "GET"
            answer = _answer(view, methods, request, names)
            route = request.resolver_match.route if request.resolver_match else ""
            API_REQUESTS.labels(route, method, str(answer.status_code)).inc()
            API_SECONDS.labels(route, method).observe(time.perf_counter() - began)
            return answer

        return answered

    return guard


def _answer(
    view: Callable[..., HttpResponse], methods: tuple[str, ...], request: ScimRequest, names: dict[str, Any]
) -> HttpResponse:
    try:
        if request.method not in methods:
            allowed = ", ".join(methods)
            raise ScimError(405, f"method not allowed; use {allowed}", headers={"Allow": allowed})
        _authenticate(request)
        _check_size(request)
        return view(request, **names)
    except Exception as error:  # noqa: BLE001  (any error: the directory expects a SCIM message)
        return document(_convert(request, error))


def _authenticate(request: ScimRequest) -> None:
    token = api_tokens.of_header(request.headers.get("Authorization", ""), at=timezone.now())
    if token is None:
        challenge = {"WWW-Authenticate": 'Bearer realm="TMS"'}
        raise ScimError(401, "send a valid token: Authorization: Bearer tms_…", headers=challenge)
    bind_contextvars(user_id=token.person_id, api_token=token.pk)
    request.token, request.person = token, token.person
    if wait_s := api_tokens.wait_s(token):
        retry = {"Retry-After": str(max(1, math.ceil(wait_s)))}
        raise ScimError(429, "too many requests with this token; wait for Retry-After", headers=retry)
    if token.scope != TokenScope.SCIM or not token.person.is_service:
        raise forbidden("this token is not for SCIM; issue one of a service account with the scope SCIM")
    if not access.may_within(token.person, Permission.MANAGE_PEOPLE, EVERYTHING):
        raise forbidden(f"the service account needs the permission {Permission.MANAGE_PEOPLE} for everything")


def _check_size(request: HttpRequest) -> None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > LARGEST_BODY or len(request.body) > LARGEST_BODY:
        raise ScimError(413, f"the body must not exceed {LARGEST_BODY} bytes")
    if len(request.META.get("QUERY_STRING", "")) > MAX_QUERY_CHARACTERS:
        raise ScimError(414, f"the query must not exceed {MAX_QUERY_CHARACTERS} bytes")


def _convert(request: HttpRequest, error: Exception) -> ScimError:
    if isinstance(error, ScimError):
        if error.status not in {401, 404, 429}:
            log.info("scim_refused", path=request.path, status=error.status, detail=error.detail)
        return error
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("scim_away", path=request.path, error=repr(error))
        retry = {"Retry-After": str(settings.RETRY_AFTER_S)}
        return ScimError(503, "the database is not responding; try again later", headers=retry)
    if isinstance(error, IntegrityError):
        log.warning("scim_clashed", path=request.path, error=repr(error))
        return ScimError(409, "conflicts with a concurrent change or another resource", kind="uniqueness")
    log.error("scim_failed", path=request.path, exc_info=error)
    return ScimError(500, "internal error in TMS; see its log")


@endpoint("GET", "POST", "PUT", "PATCH", "DELETE")
def unsupported(request: ScimRequest, **_: object) -> HttpResponse:
    """Optional parts of the protocol (RFC 7644, 3.4.3, 3.7, 3.11), which ServiceProviderConfig does not announce."""
    raise ScimError(501, "TMS does not support this part of SCIM; see ServiceProviderConfig")


@endpoint("GET", "POST", "PUT", "PATCH", "DELETE")
def unknown(request: ScimRequest, **_: object) -> HttpResponse:
    raise not_found(request.path)
