"""The HTTP endpoint at which a new terminal exchanges its enrolment token for a credential."""

from datetime import UTC, datetime
from typing import Literal, get_args

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from tms.fleet.enrolment import refusals, tokens
from tms.fleet.enrolment.tokens import NewDevice
from tms.protocol.errors import ErrorType
from tms.protocol.frames import Name, OptionalName
from tms.protocol.text import clean
from tms.protocol.uplink import split_path
from tms.rest_base.problems import problem

BODY_LIMIT = 4096

type Kind = Literal["payment", "kiosk", "gate", "signage", "tablet", "computer"]


class EnrolRequest(msgspec.Struct, frozen=True):
    token: Name
    serial: OptionalName = ""
    model: OptionalName = ""
    kind: Kind = "kiosk"
    site: OptionalName = ""
    """The code of its site, if the token is for a region."""

    @property
    def device(self) -> NewDevice:
        return NewDevice(self.kind, clean(self.serial), clean(self.model), self.site)


class EnrolmentRejected(Exception):
    """The enrolment was rejected; contains the response."""

    def __init__(self, status: int, kind: str, detail: str, *, where: str = "") -> None:
        super().__init__(detail)
        self.answer = problem(status, kind, detail, where=where)


@csrf_exempt  # a terminal has a token, and no cookies
@never_cache
def enrol(request: HttpRequest) -> HttpResponse:
    """`{token, serial, model, kind, site}` → 201 `{uid, secret, credential}`, once."""
    if request.method != "POST":
        refusal = problem(405, ErrorType.UNKNOWN_METHOD, "method not allowed; use POST")
        refusal["allow"] = "POST"
        return refusal
    try:
        wanted = _read(request)
    except EnrolmentRejected as refused:
        return refused.answer
    at = datetime.now(UTC)
    try:
        terminal, credential = tokens.redeem(wanted.token, wanted.device, at=at)
    except tokens.TokenRefused as refused:
        if refused.token and refused.reason:
            address, serial = request.META.get("REMOTE_ADDR", ""), wanted.device.serial
            refusals.note_enrolment(refused.token, refused.reason, address=address, serial=serial, at=at)
        return problem(
            403, "tms:token-refused", "the token is unknown, used or expired, or not for this device; request a new one"
        )
    made = {"uid": terminal.uid, "secret": credential.secret, "credential": str(credential)}
    return JsonResponse(made, status=201)


def _read(request: HttpRequest) -> EnrolRequest:
    try:
        wanted = msgspec.json.decode(_body(request), type=EnrolRequest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail, where = split_path(str(error))
        choice = f"; use {' or '.join(get_args(Kind.__value__))}" if where == "$.kind" else ""
        raise EnrolmentRejected(422, ErrorType.BAD_FRAME, detail + choice, where=where) from None
    for name in ("serial", "model", "site"):
        if "\0" in getattr(wanted, name):
            raise EnrolmentRejected(422, ErrorType.BAD_FRAME, "a string must not contain U+0000", where=f"$.{name}")
    return wanted


def _body(request: HttpRequest) -> bytes:
    try:
        body = request.body
    except RequestDataTooBig:
        body = None
    if body is None or len(body) > BODY_LIMIT:
        raise EnrolmentRejected(413, ErrorType.BAD_FRAME, f"the body must not exceed {BODY_LIMIT} bytes")
    return body
