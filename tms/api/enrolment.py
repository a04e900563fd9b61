from datetime import UTC, datetime
from typing import Literal

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tms.api.problems import problem
from tms.fleet import enrolment
from tms.protocol.errors import ErrorType
from tms.protocol.frames import Name, OptionalName
from tms.protocol.uplink import split_path

BODY_LIMIT = 4096


class EnrolRequest(msgspec.Struct, frozen=True):
    token: Name
    serial: OptionalName = ""
    model: OptionalName = ""
    kind: Literal["payment", "kiosk", "gate", "signage", "tablet", "computer"] = "kiosk"


@csrf_exempt  # a terminal has a token, and no cookies
@require_POST
@never_cache
def enrol(request: HttpRequest) -> HttpResponse:
    """`{token, serial, model, kind}` → 201 `{uid, secret, credential}`, once."""
    body = request.body[: BODY_LIMIT + 1]
    if len(body) > BODY_LIMIT:
        return problem(413, ErrorType.BAD_FRAME, f"the body has at most {BODY_LIMIT} bytes")
    try:
        wanted = msgspec.json.decode(body, type=EnrolRequest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail, where = split_path(str(error))
        return problem(422, ErrorType.BAD_FRAME, detail, where=where)
    if "\0" in f"{wanted.serial}{wanted.model}":
        return problem(422, ErrorType.BAD_FRAME, "a string may not hold U+0000")
    try:
        terminal, credential = enrolment.redeem(
            wanted.token, kind=wanted.kind, serial=wanted.serial, model=wanted.model, at=datetime.now(UTC)
        )
    except enrolment.TokenRefused:
        return problem(403, "tms:token-refused", "the token is unknown, used or expired; ask for a new one")
    made = {"uid": terminal.uid, "secret": credential.secret, "credential": str(credential)}
    return JsonResponse(made, status=201)
