"""The answer to a form that was saved."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext


def redirect_saved(request: HttpRequest, to: Any, *names: object) -> HttpResponse:
    """A redirect to a page that says so in a toast."""
    messages.success(request, gettext("Saved"))
    return redirect(to, *names)
