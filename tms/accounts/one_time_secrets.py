"""Secrets that admin pages show once, in the response itself, so that no session or message stores them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse

ATTRIBUTE = "_tms_shown_once"


class Secret(NamedTuple):
    owner: str
    text: str


def store(request: HttpRequest, secret: Secret) -> None:
    """Pass `secret` from saving a row to the response of the same request."""
    setattr(request, ATTRIBUTE, secret)


def stored_secret(request: HttpRequest) -> Secret:
    secret: Secret = getattr(request, ATTRIBUTE)
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
