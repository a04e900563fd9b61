"""The pages of one key: its values in layers, its definition, and its end."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, needs_to_post
from tms.accounts.scope import EVERYTHING
from tms.configuration import editing, keys, versions
from tms.configuration.editing import UnfitValue
from tms.configuration.keys import KeyInUse
from tms.configuration.models import ConfigurationKey, Layer
from tms.configuration.pages.forms import ConfigurationKeyForm, ValueForm
from tms.configuration.pages.key_rows import rows_of
from tms.configuration.places import EDIT
from tms.configuration.values.cells import read_cell
from tms.lib.forms.saved import redirect_saved


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_to_post(EDIT)
def key(request: AuthenticatedRequest, name: str) -> HttpResponse:
    """Its values in layers. POST sets or removes one in the draft: who may edit is asked for its place."""
    found = get_object_or_404(ConfigurationKey, name=name)
    if request.method != "POST":
        names = ("layer", "place")
        initial = {one: request.GET.get(one, "")[:100] for one in names} | {"value": request.GET.get("value", "")[:200]}
        return _show(request, found, ValueForm(by=request.user, key=found, initial=initial))
    form = ValueForm(request.POST, by=request.user, key=found)
    if not form.is_valid():
        return _show(request, found, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    text = form.cleaned_data["value"]
    value = versions.REMOVED if form.cleaned_data["remove"] else read_cell(text, found.schema)
    try:
        made = editing.set_value(found, form.found, value, by=request.user, at=timezone.now())
    except UnfitValue as error:
        form.add_error("value", str(error))
        return _show(request, found, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    messages.success(request, gettext("Draft %(n)s has it.") % {"n": made.number})
    return redirect("configuration-key", name)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(EDIT)
def new_key(request: AuthenticatedRequest) -> HttpResponse:
    access.demand_within(request.user, EDIT, EVERYTHING)
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(EDIT)
def edit_key(request: AuthenticatedRequest, name: str) -> HttpResponse:
    access.demand_within(request.user, EDIT, EVERYTHING)
    return _edit(request, get_object_or_404(ConfigurationKey, name=name))


@require_POST
@never_cache
@needs(EDIT)
def delete_key(request: AuthenticatedRequest, name: str) -> HttpResponse:
    access.demand_within(request.user, EDIT, EVERYTHING)
    try:
        keys.delete(get_object_or_404(ConfigurationKey, name=name))
    except KeyInUse as error:
        messages.error(request, str(error))
        return redirect("configuration-key", name)
    messages.success(request, gettext("Deleted"))
    return redirect("configuration")


def _edit(request: AuthenticatedRequest, found: ConfigurationKey | None) -> HttpResponse:
    form = ConfigurationKeyForm(request.POST if request.method == "POST" else None, key=found)
    if form.is_valid():
        try:
            with transaction.atomic():
                saved = (
                    keys.change(found, form.values) if found else keys.define(form.cleaned_data["name"], form.values)
                )
        except ValidationError as error:
            for field, texts in error.message_dict.items():
                form.add_error(field, texts)
        except KeyInUse as error:
            form.add_error(None, str(error))
        except IntegrityError:
            form.add_error("name", gettext("Another key has this name. Choose a different one."))
        else:
            return redirect_saved(request, "configuration-key", saved.name)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    values = {"nav_item": "configuration", "form": form, "key": found}
    return render(request, "configuration/key-edit.html", values, status=status)


def _save(found: ConfigurationKey | None, form: ConfigurationKeyForm) -> ConfigurationKey:
    return keys.change(found, form.values) if found else keys.define(form.cleaned_data["name"], form.values)


def _show(
    request: AuthenticatedRequest, found: ConfigurationKey, form: ValueForm, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    draft = versions.draft()
    (row,) = rows_of([found], draft, to=request.user)
    values = {
        "nav_item": "configuration",
        "key": found,
        "row": row,
        "draft": draft,
        "form": form,
        "layers": Layer,
        "may_edit": access.may(request.user, EDIT),
        "may_define": access.may_within(request.user, EDIT, EVERYTHING),
    }
    return render(request, "configuration/key.html", values, status=status)
