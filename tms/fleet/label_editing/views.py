"""The tags and attributes of one site, terminal or device."""

from collections.abc import Callable
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.permissions import Permission
from tms.fleet.groups.dynamic import GroupMove
from tms.fleet.label_editing import moves, undo
from tms.fleet.label_editing.forms import TagsForm, ValuesForm
from tms.fleet.label_editing.panel import panel_of
from tms.fleet.label_editing.subjects import Labelled
from tms.fleet.labels.tags import TooManyTags
from tms.fleet.labels.terminal_query import known_tags
from tms.protocol.text import clean

MAX_TEXT = 64
MAX_SUGGESTED = 20
CONFIRMED = "confirmed"


@require_safe
@never_cache
@sign_in_required
def labels_of(request: AuthenticatedRequest, subject: str, pk: int) -> HttpResponse:
    return _page(request, Labelled.find(subject, pk, to=request.user))


@require_POST
@never_cache
@needs(Permission.MANAGE_GROUPS)
def change_tags(request: AuthenticatedRequest, subject: str, pk: int) -> HttpResponse:
    """Asks first if that moves terminals into or out of groups which something uses."""
    labelled = Labelled.find(subject, pk, to=request.user, permission=Permission.MANAGE_GROUPS)
    form = TagsForm(request.POST)
    if not form.is_valid():
        return _page(request, labelled, tags_form=form)
    changed: tuple[list[str], list[str]] = [], []

    def change() -> None:
        nonlocal changed
        changed = labelled.change_tags(**form.cleaned_data)

    try:
        if question := _question(request, labelled, change):
            return question
        found = moves.made(change)
    except TooManyTags:
        form.add_error("add", gettext("It would have more than 50 tags."))
        return _page(request, labelled, tags_form=form)
    return _saved(request, labelled, found, undo.offer_tags(labelled, *changed, by=request.user))


@require_POST
@never_cache
@needs(Permission.MANAGE_GROUPS)
def change_attributes(request: AuthenticatedRequest, subject: str, pk: int) -> HttpResponse:
    """Sets the values that differ. Asks first, as for tags."""
    labelled = Labelled.find(subject, pk, to=request.user, permission=Permission.MANAGE_GROUPS)
    before = labelled.texts
    form = ValuesForm(request.POST, attributes=before)
    if not form.is_valid():
        return _page(request, labelled, values_form=form)
    values = dict(form.changes())

    def change() -> None:
        labelled.set_values(values)

    if question := _question(request, labelled, change):
        return question
    found = moves.made(change)
    token = undo.offer_values(labelled, {each: (before[each], text) for each, text in values.items()}, by=request.user)
    return _saved(request, labelled, found, token)


@require_safe
@never_cache
@needs(Permission.MANAGE_GROUPS)
def suggest_tags(request: AuthenticatedRequest) -> HttpResponse:
    """Tags that begin with the text `q`, of rows that the person sees."""
    begun = clean(request.GET.get("q", "")).strip()[:MAX_TEXT]
    found = list(known_tags(request.user, begun))
    suggestions = [{"key": name, "name": name, "detail": ""} for name in found[:MAX_SUGGESTED]]
    return render(request, "forms/suggestions.html", {"suggestions": suggestions, "is_cut": len(found) > MAX_SUGGESTED})


def _question(request: AuthenticatedRequest, labelled: Labelled, change: Callable[[], None]) -> HttpResponse | None:
    """What the change does, before it is made; None if nothing depends on it, or the person has read that."""
    if CONFIRMED in request.POST:
        return None
    affected = moves.used(moves.preview(change), to=request.user)
    if not affected:
        return None
    given = [
        (name, value) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken" for value in values
    ]
    context = {
        "nav_item": labelled.nav_item,
        "of": labelled,
        "affected": affected,
        "given": [*given, (CONFIRMED, "1")],
    }
    return render(request, "fleet/labels/question.html", context)


def _saved(request: AuthenticatedRequest, labelled: Labelled, found: list[GroupMove], token: str) -> HttpResponse:
    text = " ".join(filter(None, (gettext("Saved."), moves.told(found)))) if found else gettext("Saved")
    messages.success(request, text, extra_tags=token)
    return redirect(labelled.page)


def _page(
    request: AuthenticatedRequest,
    labelled: Labelled,
    *,
    tags_form: TagsForm | None = None,
    values_form: ValuesForm | None = None,
) -> HttpResponse:
    context = {
        "nav_item": labelled.nav_item,
        "of": labelled,
        "labels": panel_of(labelled, to=request.user, tags_form=tags_form, values_form=values_form),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if tags_form or values_form else HTTPStatus.OK
    return render(request, "fleet/labels/labels.html", context, status=status)
