"""The page of all tags and attributes. Everybody who may tag reads it; changes need the permission for everything."""

from collections.abc import Callable
from copy import copy
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.fleet.groups.uses import uses_of_tag
from tms.fleet.label_editing import catalogue, moves
from tms.fleet.label_editing.catalogue import NamedByGroups, TagLine
from tms.fleet.label_editing.forms import AttributeForm, RenameForm
from tms.fleet.labels.attributes import MAX_ATTRIBUTES, TooManyAttributes, delete_attribute
from tms.fleet.labels.tags import delete_everywhere
from tms.fleet.models import Attribute
from tms.fleet.models.tag import MAX_TAG_CHARACTERS
from tms.lib.forms.saved import redirect_saved
from tms.protocol.text import clean

CONFIRMED = "confirmed"


@require_safe
@never_cache
@needs(Permission.MANAGE_GROUPS)
def labels(request: AuthenticatedRequest) -> HttpResponse:
    """Tags that begin with `q`, and all attributes."""
    return _page(request)


@require_safe
@never_cache
@needs(Permission.MANAGE_GROUPS)
def tag(request: AuthenticatedRequest) -> HttpResponse:
    chosen = _tag(request, request.GET.get("name", ""))
    return _page(request, tag=chosen, rename_form=RenameForm(name=chosen.name))


@require_POST
@never_cache
@needs(Permission.MANAGE_GROUPS)
def rename_tag(request: AuthenticatedRequest) -> HttpResponse:
    """Asks first. 422 if the query of a dynamic group names the tag."""
    _demand_everything(request)
    chosen = _tag(request, request.POST.get("name", ""))
    form = RenameForm(request.POST, name=chosen.name)
    if not form.is_valid():
        return _page(request, tag=chosen, rename_form=form)
    to = form.cleaned_data["to"]
    try:
        if CONFIRMED not in request.POST:
            return _ask_to_rename(request, chosen, to)
        found = moves.made(lambda: catalogue.rename_tag(chosen.name, to))
    except NamedByGroups as error:
        text = gettext("Queries name this tag. Change them first: %(groups)s.")
        form.add_error("to", text % {"groups": _names(error)})
        return _page(request, tag=chosen, rename_form=form)
    messages.success(request, " ".join(filter(None, (gettext("Saved."), moves.told(found)))))
    return redirect(_address(to))


@require_POST
@never_cache
@needs(Permission.MANAGE_GROUPS)
def delete_tag(request: AuthenticatedRequest) -> HttpResponse:
    """Asks first."""
    _demand_everything(request)
    chosen = _tag(request, request.POST.get("name", ""))

    def change() -> None:
        delete_everywhere(chosen.name)

    if CONFIRMED not in request.POST:
        title = gettext("Delete the tag %(name)s everywhere?") % {"name": chosen.name}
        return _ask(request, chosen, title, gettext("Delete"), change)
    found = moves.made(change)
    messages.success(request, " ".join(filter(None, (gettext("Deleted."), moves.told(found)))))
    return redirect("labels")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_GROUPS)
def new_attribute(request: AuthenticatedRequest) -> HttpResponse:
    _demand_everything(request)
    return _edit(request, Attribute())


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_GROUPS)
def attribute(request: AuthenticatedRequest, name: str) -> HttpResponse:
    """POST: change the definition."""
    if request.method == "POST":
        _demand_everything(request)
    return _edit(request, get_object_or_404(Attribute, name=name))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_GROUPS)
def remove_attribute(request: AuthenticatedRequest, name: str) -> HttpResponse:
    """GET: what is lost. POST: delete the definition with all values."""
    _demand_everything(request)
    chosen = get_object_or_404(Attribute, name=name)
    if request.method == "POST":
        delete_attribute(chosen)
        messages.success(request, gettext("Deleted"))
        return redirect("labels")
    context = {
        "nav_item": "groups",
        "attribute": chosen,
        "number": catalogue.number_of_values(chosen, to=request.user),
        "groups": catalogue.groups_reading_attribute(chosen.name),
    }
    return render(request, "fleet/labels/delete-attribute.html", context)


def _tag(request: AuthenticatedRequest, name: str) -> TagLine:
    found = catalogue.tag_line(clean(name)[:MAX_TAG_CHARACTERS], to=request.user)
    if found is None:
        raise Http404
    return found


def _demand_everything(request: AuthenticatedRequest) -> None:
    """A tag or an attribute is one of the whole fleet."""
    access.demand_within(request.user, Permission.MANAGE_GROUPS, EVERYTHING)


def _edit(request: AuthenticatedRequest, chosen: Attribute) -> HttpResponse:
    # A copy, because validating the form changes it, and the page names the attribute as it is.
    form = AttributeForm(request.POST if request.method == "POST" else None, instance=copy(chosen))
    if request.method == "POST" and form.is_valid() and _is_saved(form, before=chosen.name):
        return redirect_saved(request, "attribute", form.instance.name)
    return _page(request, attribute=chosen, attribute_form=form)


def _is_saved(form: AttributeForm, *, before: str) -> bool:
    """False with an error in the form."""
    try:
        catalogue.change_attribute(form.instance, before=before)
    except NamedByGroups as error:
        text = gettext("Queries name this attribute. Change them first: %(groups)s.")
        form.add_error("name", text % {"groups": _names(error)})
    except TooManyAttributes:
        text = gettext("There are %(most)s attributes already. Delete one first.")
        form.add_error("name", text % {"most": MAX_ATTRIBUTES})
    except ValidationError as error:  # another person took the name at this moment
        form.add_error(None, error)
    else:
        return True
    return False


def _names(error: NamedByGroups) -> str:
    return gettext(", ").join(group.name for group in error.groups[: moves.MAX_GROUPS])


def _ask_to_rename(request: AuthenticatedRequest, chosen: TagLine, to: str) -> HttpResponse:
    names = {"name": chosen.name, "to": to}
    is_merge = catalogue.tag_line(to, to=request.user) is not None
    title = (
        gettext("Merge the tag %(name)s into %(to)s?") if is_merge else gettext("Rename the tag %(name)s to %(to)s?")
    )
    act = gettext("Merge") if is_merge else gettext("Rename")

    def change() -> None:
        catalogue.rename_tag(chosen.name, to)

    return _ask(request, chosen, title % names, act, change, to=to)


def _ask(
    request: AuthenticatedRequest, chosen: TagLine, title: str, act: str, change: Callable[[], None], **given: str
) -> HttpResponse:
    """What a change of a tag does, before it is made."""
    context = {
        "nav_item": "groups",
        "title": title,
        "act": act,
        "chosen": chosen,
        "affected": moves.with_uses(moves.preview(change), to=request.user),
        "uses": uses_of_tag(chosen.name, to=request.user),
        "given": [("name", chosen.name), *given.items(), (CONFIRMED, "1")],
        "back": _address(chosen.name),
    }
    return render(request, "fleet/labels/everywhere.html", context)


def _address(name: str) -> str:
    return f"{reverse('tag')}?{urlencode({'name': name})}"


def _page(request: AuthenticatedRequest, **chosen: Any) -> HttpResponse:
    words = clean(request.GET.get("q", ""))[:MAX_TAG_CHARACTERS]
    lines, is_cut = catalogue.tag_lines(words, to=request.user)
    forms = [chosen.get("rename_form"), chosen.get("attribute_form")]
    context = {
        "nav_item": "groups",
        "words": words,
        "tags": lines,
        "is_cut": is_cut,
        "attributes": catalogue.attribute_lines(to=request.user),
        "may_edit": access.may_within(request.user, Permission.MANAGE_GROUPS, EVERYTHING),
        **chosen,
    }
    is_refused = any(form is not None and form.errors for form in forms)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    return render(request, "fleet/labels/all.html", context, status=status)
