"""The device API of hawkBit (DDI, v1) at `/ddi/<tenant>/controller/v1/<uid>`. Refusals are problem documents."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from tms.fleet.credentials.services import CredentialKey
from tms.lib.db.clock import db_clock
from tms.protocol.errors import ErrorType
from tms.rest_base.problems import ProblemError
from tms.rollouts.hawkbit import actions, polling, resources
from tms.rollouts.hawkbit.authentication import Unauthorised, find_key
from tms.rollouts.hawkbit.feedback import MAX_BODY, parse_attributes, parse_feedback

TENANT = "default"

type View[**P] = Callable[Concatenate[HttpRequest, CredentialKey, datetime, P], HttpResponse]


def device_resource[**P](method: str) -> Callable[[View[P]], Callable[..., HttpResponse]]:
    """A resource that a terminal reads or writes with its credential. Every request of it renews its presence."""

    def decorate(view: View[P]) -> Callable[..., HttpResponse]:
        @csrf_exempt  # a terminal has a key, and no cookies
        @never_cache
        @wraps(view)
        def answer(request: HttpRequest, tenant: str, uid: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                key, at = _admit(request, tenant, method)
                return view(request, key, at, *args, **kwargs)
            except ProblemError as refused:
                return refused.answer()

        return answer

    return decorate


def _admit(request: HttpRequest, tenant: str, method: str) -> tuple[CredentialKey, datetime]:
    at = db_clock().now()
    if request.method != method:
        detail = f"method not allowed; use {method}"
        raise ProblemError(405, ErrorType.UNKNOWN_METHOD, detail, headers={"Allow": method})
    try:
        key = find_key(request, at=at)
    except Unauthorised:
        raise ProblemError(
            401,
            "tms:unauthorised",
            "send the credential of the terminal: `Authorization: TargetToken <uid>.<secret>`",
            headers={"WWW-Authenticate": 'TargetToken realm="tms"'},
        ) from None
    if tenant != TENANT:
        raise ProblemError(404, "tms:not-found", f"unknown tenant; use {TENANT}")
    try:
        polling.renew(key.identity.terminal_id, at=at)
    except polling.Linked:
        detail = f"{key.identity.uid} has a link to TMS, and gets its updates there; stop one of the two clients"
        raise ProblemError(409, "tms:linked", detail) from None
    return key, at


@device_resource("GET")
def poll(request: HttpRequest, key: CredentialKey, at: datetime) -> HttpResponse:
    """What there is to do, and when to ask again."""
    terminal = key.identity.terminal_id
    work = actions.work_of(terminal, at=at)
    links = {}
    if work.cancel:
        links["cancelAction"] = _href(request, key, "ddi-cancel", action=resources.action_number(work.cancel.pk))
    if work.install:
        links["deploymentBase"] = _href(request, key, "ddi-deployment", action=resources.action_number(work.install.pk))
    if not links and polling.is_asked(terminal, at=at):
        links["configData"] = _href(request, key, "ddi-attributes")
    return JsonResponse(resources.poll(polling.sleep_s(work), links))


@device_resource("PUT")
def attributes(request: HttpRequest, key: CredentialKey, at: datetime) -> HttpResponse:
    """What the terminal says of itself."""
    told = parse_attributes(_body(request))
    if told is None:
        raise ProblemError(422, "tms:bad-request", 'send {"data": {"firmware": …, "model": …, "serial": …}}')
    polling.describe(key, told, address=request.META.get("REMOTE_ADDR") or None, at=at)
    return HttpResponse()


@device_resource("GET")
def deployment(request: HttpRequest, key: CredentialKey, at: datetime, action: int) -> HttpResponse:
    """What to install. From now on it counts as sent."""
    what = actions.show(key.identity.terminal_id, action, at=at)
    if what is None:
        raise _no_action(action)
    url = request.build_absolute_uri(what.url)
    return JsonResponse(resources.deployment(what._replace(url=url)))


@device_resource("POST")
def deployment_feedback(request: HttpRequest, key: CredentialKey, at: datetime, action: int) -> HttpResponse:
    """How far it is. What comes too late, or cannot be read, is accepted: an error would hold the terminal back."""
    command = actions.find(key.identity.terminal_id, action)
    if command is None:
        raise _no_action(action)
    actions.note(command, parse_feedback(_body(request)), at=at)
    return HttpResponse()


@device_resource("GET")
def cancellation(request: HttpRequest, key: CredentialKey, at: datetime, action: int) -> HttpResponse:
    work = actions.work_of(key.identity.terminal_id, at=at)
    if work.cancel is None or resources.action_number(work.cancel.pk) != action:
        raise _no_action(action)
    return JsonResponse(resources.cancellation(action))


@device_resource("POST")
def cancellation_feedback(request: HttpRequest, key: CredentialKey, at: datetime, action: int) -> HttpResponse:
    command = actions.find(key.identity.terminal_id, action)
    if command is None:
        raise _no_action(action)
    actions.note_cancellation(command, at=at)
    return HttpResponse()


def _no_action(action: int) -> ProblemError:
    return ProblemError(404, "tms:not-found", f"no action {action} of this terminal is open; poll again")


def _href(request: HttpRequest, key: CredentialKey, name: str, **more: Any) -> str:
    path = reverse(name, kwargs={"tenant": TENANT, "uid": key.identity.uid, **more})
    return request.build_absolute_uri(path)


def _body(request: HttpRequest) -> bytes:
    try:
        body = request.body
    except RequestDataTooBig:
        body = None
    if body is None or len(body) > MAX_BODY:
        raise ProblemError(413, "tms:bad-request", f"a body has at most {MAX_BODY} bytes")
    return body
