"""The page that follows a sign-in."""

from urllib.parse import quote

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

DRAFT = "#draft"
MAX_BYTES = 2_000
"""Bytes of a page that a redirect names: proxies refuse an answer with a header of some kilobytes."""


def first_own(request: HttpRequest, *addresses: str, otherwise: str) -> str:
    """The first of the `addresses` that is one of ours: what a browser submits may lead to another site."""
    for address in addresses:
        if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
            return address
    return otherwise


def page_of(request: HttpRequest, *, otherwise: str) -> str:
    """The page to return to after a sign-in. A redirect cannot submit a form again, so it is the page of the form,
    which restores what the person entered (`#draft`).
    """
    page = _asked_for(request)
    return page if page and len(quote(page)) <= MAX_BYTES else otherwise


def _asked_for(request: HttpRequest) -> str:
    details = getattr(request, "htmx", None)
    if request.method in ("GET", "HEAD") and not details:
        return request.get_full_path()
    page = first_own(request, (details and details.current_url) or "", request.headers.get("Referer", ""), otherwise="")
    return f"{page.partition('#')[0]}{DRAFT}" if page else ""
