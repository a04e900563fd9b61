"""Errors as problem details (RFC 9457). `type` is a stable name, as on the link; `docs/urls.md` lists them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from django.http import JsonResponse

CONTENT_TYPE = "application/problem+json"
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class RequestFault(NamedTuple):
    """What is wrong with one part of a request: `$.thresholds[0].limit` of its body, or `?limit` of its query."""

    where: str
    detail: str


class ProblemError(Exception):
    """A request that fails, with the whole response."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        faults: Iterable[RequestFault] = (),
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail
        self.faults, self.headers = tuple(faults), headers

    def answer(self) -> JsonResponse:
        answer = problem(self.status, self.kind, self.detail, faults=self.faults)
        for name, value in self.headers.items():
            answer[name] = value
        return answer


def problem(
    status: int, kind: str, detail: str, *, where: str = "", faults: Iterable[RequestFault] = ()
) -> JsonResponse:
    body: dict[str, object] = {"type": kind, "status": status, "detail": detail}
    if where:
        body["where"] = where
    if errors := [fault._asdict() for fault in faults]:
        body["errors"] = errors
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE, json_dumps_params={"ensure_ascii": False})


def forbidden(permission: str) -> ProblemError:
    """The person lacks the permission, at all or for this object."""
    detail = f"the person of this token lacks the permission {permission} here; ask an administrator"
    return ProblemError(403, "tms:forbidden", detail)


def unreadable(*faults: RequestFault) -> ProblemError:
    """The request does not match its description."""
    return ProblemError(422, "tms:bad-request", "; ".join(fault.detail for fault in faults[:3]), faults=faults)
