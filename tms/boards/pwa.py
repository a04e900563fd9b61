"""What makes TMS an app that can be installed: its manifest, its icons, and the worker that shows notifications.

TMS serves them itself, because the worker must come from its own origin, and TMS_STATIC_URL may name another.
"""

from functools import cache

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

ICON_SIZES = (96, 180, 192, 512)
"""96: the badge, of one colour; 180: for iOS, without transparency."""
ICON_CACHE = "public, max-age=86400"
BACKGROUND = "#0d0f12"


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """Browsers fetch it without cookies, so its address names the language."""
    language = request.GET.get("language", "")
    known = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(known):
        response = JsonResponse(_manifest(known), content_type="application/manifest+json")
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Browsers look for a new version of it by themselves."""
    response = HttpResponse(_file("js/worker.js"), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def app_icon(request: HttpRequest, size: int) -> HttpResponse:
    if size not in ICON_SIZES:
        raise Http404
    response = HttpResponse(_file(f"img/icon-{size}.png"), content_type="image/png")
    response["Cache-Control"] = ICON_CACHE
    return response


@cache
def _file(name: str) -> bytes:
    """Built by `make static`."""
    return (settings.STATIC_BUILD / name).read_bytes()


def _manifest(language: str) -> dict[str, object]:
    return {
        "id": "/",
        "start_url": reverse("overview"),
        "scope": "/",
        "display": "standalone",
        "lang": language,
        "dir": "ltr",
        "name": gettext("TMS: Terminal Management System"),
        "short_name": "TMS",
        "description": gettext("Live boards and alerts of a fleet of terminals"),
        "theme_color": BACKGROUND,
        "background_color": BACKGROUND,
        "icons": [
            {"src": _icon(192), "sizes": "192x192", "type": "image/png", "purpose": "any"},
            {"src": _icon(512), "sizes": "512x512", "type": "image/png", "purpose": "any"},
            {"src": _icon(512), "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
        ],
        "shortcuts": [
            {"name": gettext("Alerts"), "url": reverse("alerts")},
            {"name": gettext("Incidents"), "url": reverse("incidents")},
        ],
    }


def _icon(size: int) -> str:
    return reverse("app-icon", args=[size])
