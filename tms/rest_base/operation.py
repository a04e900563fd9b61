"""Checks before every operation: authentication, rate limit, size and permission."""

import math
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from ninja.operation import Operation
from ninja.security import HttpBearer
from structlog.contextvars import bind_contextvars

from tms.accounts import api_tokens
from tms.accounts.access import may, may_watch
from tms.accounts.models import ApiToken, TokenScope, User
from tms.accounts.permissions import Permission
from tms.rest_base.idempotency import HEADER, idempotent
from tms.rest_base.problems import ProblemError, RequestFault, unreadable

LARGEST_BODY = 524_288
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="TMS"'}


class ApiRequest(HttpRequest):
    """A request of a person, authenticated by a token."""

    person: User
    token: ApiToken


class Access(NamedTuple):
    """Who may call an operation, and whether a repeated call with the same key returns the stored response."""

    needs: Permission | None = None
    """The permission that a caller needs; without one, everyone with a token may call it."""
    is_idempotent: bool = False
    refusals: tuple[int, ...] = ()
    """The statuses of its errors, besides the common ones."""
    headers: tuple[dict[str, object], ...] = ()
    """Its security requirement in OpenAPI."""
    alternative: Permission | None = None
    """The permission that some callers need instead of `needs`; the operation asks for the right one."""

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """One of them is enough; none, if everyone may call it."""
        return tuple(filter(None, (self.needs, self.alternative)))


class Bearer(HttpBearer):
    """Documents the authentication in OpenAPI; `api_operation` checks the token itself."""

    def __call__(self, request: HttpRequest) -> Any:
        return getattr(request, "person", None)

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        raise NotImplementedError


def api_operation(run: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    operation: Operation = run.__self__  # type: ignore[attr-defined]  # ninja hands over a bound method
    access: Access = operation.view_func.access  # type: ignore[attr-defined]
    known = names_in_query(operation)

    @wraps(run)
    def opened(request: ApiRequest, **names: object) -> HttpResponse:
        try:
            request.token = caller(request)
            request.person = request.token.person
            _demand(request, access)
            _check(request, known, names)
            key = request.headers.get(HEADER)
            if key is None or not access.is_idempotent:
                return run(request, **names)
            at = timezone.now()
            return idempotent(request, lambda: run(request, **names), person=request.person, key=key, at=at)
        except Exception as error:  # noqa: BLE001  (any error: the API has a response for it)
            return operation.api.on_exception(request, error)

    return opened


def _demand(request: ApiRequest, access: Access) -> None:
    token, person = request.token, request.token.person
    if token.scope == TokenScope.SCIM:
        raise ProblemError(403, "tms:forbidden", "this token is only for /scim/v2/; create one for the API")
    if (access.needs or request.method != "GET") and token.scope != TokenScope.FULL:
        raise ProblemError(403, "tms:forbidden", "this token is read only; create one with full access")
    if not may_watch(person) or (access.needs and not any(may(person, each) for each in access.permissions)):
        lacking = " or ".join(map(str, access.permissions)) or access.needs
        detail = f"the person of this token lacks the permission {lacking}; ask an administrator"
        raise ProblemError(403, "tms:forbidden", detail)


def demand_access(request: HttpRequest, access: Access) -> User:
    """The person of the token, if it may be used like this, for views that are no operation. Raises ProblemError."""
    asked = cast(ApiRequest, request)
    asked.token = caller(request)
    asked.person = asked.token.person
    _demand(asked, access)
    return asked.person


def caller(request: HttpRequest) -> ApiToken:
    """The valid token of the request. Raises ProblemError, also if the rate limit is exceeded."""
    token = api_tokens.of_header(request.headers.get("Authorization", ""), at=timezone.now())
    if token is None:
        detail = "send a valid token: Authorization: Bearer tms_…"
        raise ProblemError(401, "tms:unauthorised", detail, headers=CHALLENGE)
    bind_contextvars(user_id=token.person_id, api_token=token.pk)
    _check_rate(token)
    return token


def names_in_query(operation: Operation) -> frozenset[str]:
    models = (model for model in operation.models if model.__ninja_param_source__ == "query")
    return frozenset(name for model in models for name in model.__ninja_flatten_map__)


def _check(request: HttpRequest, known: frozenset[str], names: Mapping[str, object]) -> None:
    if any("\0" in str(name) for name in names.values()):
        raise Http404
    if unknown := sorted(set(request.GET) - known):
        raise unreadable(*(RequestFault(f"?{name}", "unknown parameter") for name in unknown[:5]))
    for name, values in request.GET.lists():
        if any("\0" in value for value in values):
            raise unreadable(RequestFault(f"?{name}", "a string must not contain U+0000"))
    if _length(request) > LARGEST_BODY or len(request.body) > LARGEST_BODY:
        raise ProblemError(413, "tms:too-large", f"the body must not exceed {LARGEST_BODY} bytes")


def _length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0


def _check_rate(token: ApiToken) -> None:
    if wait_s := api_tokens.wait_s(token):
        retry = {"Retry-After": str(max(1, math.ceil(wait_s)))}
        raise ProblemError(
            429, "tms:too-fast", "too many requests with this token; wait for Retry-After", headers=retry
        )
