"""The icons of all pages: one SVG sprite, which browsers cache as long as its URL is the same.

TMS serves it itself, because browsers follow `<use href>` only within one origin, and TMS_STATIC_URL may name another.
"""

from functools import cache
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

FOREVER = "public, max-age=31536000, immutable"


@cache
def sprite() -> bytes:
    """Built by `make static`."""
    return (settings.STATIC_BUILD / "img/icons.svg").read_bytes()


@cache
def address() -> str:
    return reverse("icons", args=[_digest()])


@require_safe
def icons(request: HttpRequest, digest: str) -> HttpResponse:
    """The digest of another release gets the icons of this one, but with a short cache time: its own node answers next
    time.
    """
    answer = HttpResponse(sprite(), content_type="image/svg+xml")
    answer["Cache-Control"] = FOREVER if digest == _digest() else "no-cache"
    return answer


@cache
def _digest() -> str:
    return sha256(sprite()).hexdigest()[:12]
