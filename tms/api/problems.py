"""Refusals as problem details (RFC 9457). `type` is one of the link's stable names."""

from django.http import JsonResponse


def problem(status: int, kind: str, detail: str, *, where: str = "") -> JsonResponse:
    body = {"type": kind, "status": status, "detail": detail}
    if where:
        body["where"] = where
    return JsonResponse(body, status=status, content_type="application/problem+json")
