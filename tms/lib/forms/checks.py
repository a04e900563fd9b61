"""Validation of a form while a person fills it in, by the form itself: there is no second set of rules in the browser.

`static/js/form/checks.js` posts a `<form data-checks>` to its own address with `?check=1` when a person leaves a field,
and shows the errors of the fields that they have left. The view validates, answers with `checked`, and saves nothing.
"""

from collections.abc import Iterator
from typing import Any

from django.forms import BaseForm
from django.forms.boundfield import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tms.lib.forms.bases import BaseFormSet

LEFT = "_left"
"""The names of the fields that the person has left."""
MAX_LEFT = 200


def is_check(request: HttpRequest) -> bool:
    return request.method == "POST" and "check" in request.GET


def render_errors(request: HttpRequest, *forms: BaseForm | BaseFormSet[Any]) -> HttpResponse:
    """The errors of the fields that the person has left, as a fragment; a field without one is empty."""
    left = frozenset(request.POST.getlist(LEFT)[:MAX_LEFT])
    fields = [field for form in forms for field in _fields(form) if field.html_name in left]
    return render(request, "forms/checked.html", {"fields": fields})


def _fields(form: BaseForm | BaseFormSet[Any]) -> Iterator[BoundField]:
    for one in form.forms if isinstance(form, BaseFormSet) else (form,):
        yield from one
