"""ETag and If-Match (RFC 9110): nobody overwrites what they have not seen."""

from hashlib import sha256

from django.http import HttpRequest, HttpResponse

from tms.rest_base.problems import ProblemError

IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "schema": {"type": "string"},
    "description": "The `ETag` of the version you read, or `*` for any version.",
}


def version_of(*values: object) -> int:
    """The version of a row that counts none: of what people see and change of it."""
    return int.from_bytes(sha256(repr(values).encode()).digest()[:6])


def set_etag(response: HttpResponse, version: int) -> None:
    response["ETag"] = _tag(version)


def require_match(request: HttpRequest, version: int, *, kind: str) -> int:
    """The `version`, if the request is about it. Raises ProblemError; `kind` is the problem type if it has changed."""
    if_match = request.headers.get("If-Match")
    if if_match is None:
        raise ProblemError(428, "tms:if-match-missing", "send If-Match with the ETag of the version you read")
    if if_match.strip() != "*" and _tag(version) not in {tag.strip() for tag in if_match.split(",")}:
        detail = "changed since you read it; read it again"
        raise ProblemError(412, kind, detail, headers={"ETag": _tag(version)})
    return version


def _tag(version: int) -> str:
    return f'"{version}"'
