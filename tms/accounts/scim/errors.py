"""Errors as SCIM messages (RFC 7644, section 3.12)."""

from typing import Any

from django.http import JsonResponse

CONTENT_TYPE = "application/scim+json"
SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimError(Exception):
    """A request that fails, with the status and the message of its response."""

    def __init__(self, status: int, detail: str, *, kind: str = "", headers: dict[str, str] | None = None) -> None:
        """`kind`: the `scimType`, which is defined for some errors of 400 and 409."""
        super().__init__(detail)
        self.status, self.detail, self.kind = status, detail, kind
        self.headers = headers or {}


def invalid_value(detail: str) -> ScimError:
    return ScimError(400, detail, kind="invalidValue")


def not_unique(detail: str) -> ScimError:
    return ScimError(409, detail, kind="uniqueness")


def forbidden(detail: str) -> ScimError:
    return ScimError(403, detail)


def not_found(what: str) -> ScimError:
    return ScimError(404, f"there is no resource {what}")


def document(error: ScimError) -> JsonResponse:
    body: dict[str, Any] = {"schemas": [SCHEMA], "status": str(error.status), "detail": error.detail}
    if error.kind:
        body["scimType"] = error.kind
    return answer(body, status=error.status, headers=error.headers)


def answer(body: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> JsonResponse:
    options = {"ensure_ascii": False}
    return JsonResponse(body, status=status, headers=headers, content_type=CONTENT_TYPE, json_dumps_params=options)
