"""The endpoints for load balancers and Prometheus."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from tms.ops.collectors.fleet import register
from tms.ops.health import checks
from tms.ops.middleware.trusted_proxy import came_through_unnamed_proxy, client_address, is_inside

register(REGISTRY)


@require_safe
@never_cache
def health(request: HttpRequest) -> HttpResponse:
    """200 while this process serves; with `?strict` only if all parts work. The body lists each part.

    A browser gets a page. It is rendered without a request, because that would read the session from the database.
    """
    status, body = checks.answer(strict="strict" in request.GET)
    if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
        values = {**body, "LANGUAGE_CODE": get_language(), "at": timezone.now()}
        return HttpResponse(render_to_string("ops/status.html", values), status=status)
    return JsonResponse(body, status=status)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Metrics for Prometheus on the private network: requests through a public proxy are rejected."""
    if came_through_unnamed_proxy(request) or not is_inside(client_address(request)):
        return HttpResponse(
            "metrics are read from the private network only\n", status=HTTPStatus.FORBIDDEN, content_type="text/plain"
        )
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
