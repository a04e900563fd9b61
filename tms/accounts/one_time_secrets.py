"""Pages of the admin that show secrets: once, straight in the answer, so that no session or message ever holds one."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse

KEPT = "_tms_shown_once"


class Secret(NamedTuple):
    owner: str
    text: str


def keep(request: HttpRequest, secret: Secret) -> None:
    """Carry `secret` from where a row is saved to where this same request is answered."""
    setattr(request, KEPT, secret)


def kept(request: HttpRequest) -> Secret:
    secret: Secret = getattr(request, KEPT)
    return secret


def page(
    request: HttpRequest, site: AdminSite, model: type[Model], secrets: Sequence[Secret], *, title: Any, advice: Any
) -> TemplateResponse:
    context = site.each_context(request) | {
        "opts": model._meta,
        "title": title,
        "advice": advice,
        "secrets": secrets,
    }
    return TemplateResponse(request, "admin/shown_once.html", context)
