"""Toasts: what was just done, with a token to undo it. Shown in the answer of htmx, or on the page that follows."""

from typing import TypedDict

from django.contrib import messages
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext

from tms.alerts.actions.action import AlertTarget, IncidentTarget


class Toast(TypedDict):
    """The context of its partial."""

    text: str
    undo: str
    """A token; empty if it cannot be undone."""


def toast(what: str | Promise, title: str, undo: str = "") -> Toast:
    """`Acknowledged: Umeda, 48 of 50 terminals offline`."""
    text = gettext("%(what)s: %(title)s") % {"what": what, "title": title} if title else str(what)
    return {"text": text, "undo": undo}


def toast_of(target: AlertTarget | IncidentTarget, title: str, undo: str = "") -> Toast:
    return toast(target.transition.label, title, undo)


def add_toast(request: HttpRequest, shown: Toast) -> None:
    """Add a toast for the page to which the browser is redirected."""
    messages.success(request, shown["text"], extra_tags=shown["undo"])
