"""The page of one version, and what people do with it: make it ready, discard it, undo it, try it on one terminal."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tms.accounts import access
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.permissions import Permission
from tms.configuration import delivery, editing, versions
from tms.configuration.change_rows import change_rows, terminal_sets
from tms.configuration.changes import changes_of, effects_of
from tms.configuration.checking import CheckedVersion, CheckError, check, seen_errors
from tms.configuration.models import ConfigurationKey, ConfigurationVersion
from tms.configuration.pages.forms import VersionForm
from tms.configuration.places import EDIT
from tms.configuration.values.cells import as_text, shown
from tms.configuration.versions import HasErrors, NoDraft, NothingChanged
from tms.fleet.models import Terminal

TRY_WITHIN_S = 3_600.0


@require_safe
@never_cache
@sign_in_required
def version(request: AuthenticatedRequest, number: int) -> HttpResponse:
    """What it changes, and for which terminals; of a draft, what is wrong with it."""
    return _show(request, _find(number))


@require_POST
@never_cache
@needs(EDIT)
def make_ready(request: AuthenticatedRequest, number: int) -> HttpResponse:
    """Everything in the draft must be at places that the person may edit."""
    found = _find(number)
    editing.demand_changes(found, by=request.user)
    form = VersionForm(request.POST)
    if not form.is_valid():
        return _show(request, found, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        versions.fix(found, by=request.user, at=timezone.now(), **form.cleaned_data)
    except HasErrors:
        return _show(request, _find(number), form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except (NoDraft, NothingChanged):
        messages.error(request, gettext("The draft is gone, or changes nothing."))
    else:
        messages.success(request, gettext("Version %(n)s is ready.") % {"n": number})
    return redirect("configuration-version", number)


@require_POST
@never_cache
@needs(EDIT)
def discard(request: AuthenticatedRequest, number: int) -> HttpResponse:
    """Everything in the draft must be at places that the person may edit."""
    found = _find(number)
    editing.demand_changes(found, by=request.user)
    try:
        versions.discard(found)
    except NoDraft:
        messages.error(request, gettext("It is no draft any more."))
    else:
        messages.success(request, gettext("Discarded"))
    return redirect("configuration")


@require_POST
@never_cache
@needs(EDIT)
def undo(request: AuthenticatedRequest, number: int) -> HttpResponse:
    """A new version that takes the changes back; it is rolled out like any other."""
    found = _find(number)
    editing.demand_changes(found, by=request.user)
    if found.is_draft:
        return redirect("configuration-version", number)
    try:
        made = versions.undo(found, by=request.user, at=timezone.now(), reason=request.POST.get("reason", "")[:500])
    except NothingChanged:
        messages.error(request, gettext("Later versions changed all of its values again."))
        return redirect("configuration-version", number)
    messages.success(request, gettext("Version %(n)s is ready.") % {"n": made.number})
    return redirect("configuration-version", made.number)


@require_POST
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def send_to_one(request: AuthenticatedRequest, number: int) -> HttpResponse:
    """Try a ready version on one terminal; the others keep theirs."""
    found = _find(number)
    uid = request.POST.get("terminal", "").strip()
    terminal = access.visible(Terminal.objects.all(), to=request.user).filter(uid=uid).first()
    if terminal is None:
        messages.error(request, gettext("Unknown terminal: %(uid)s. Check the UID.") % {"uid": uid[:64]})
        return redirect("configuration-version", number)
    access.demand(request.user, Permission.RUN_ROLLOUTS, terminal)
    if found.is_draft:
        messages.error(request, gettext("Make the draft ready first: what runs on a terminal does not change."))
        return redirect("configuration-version", number)
    if not delivery.can_be_configured([terminal.pk]):
        messages.error(request, gettext("%(uid)s cannot be configured.") % {"uid": uid})
        return redirect("configuration-version", number)
    send_now(terminal, found, request)
    messages.success(request, gettext("Sent to %(uid)s.") % {"uid": uid})
    return redirect("terminal-configuration", terminal.uid)


@transaction.atomic
def send_now(terminal: Terminal, found: ConfigurationVersion, request: AuthenticatedRequest) -> None:
    at = timezone.now()
    recorder.record("configured", terminal, {"version": (None, found.number)})
    differing = delivery.desire([terminal.pk], found, at=at)
    delivery.order(differing, by=request.user, at=at, deliver_within_s=TRY_WITHIN_S)


def _find(number: int) -> ConfigurationVersion:
    rows = ConfigurationVersion.objects.select_related("author", "edited_by", "undoes")
    return get_object_or_404(rows, number=number)


def _show(
    request: AuthenticatedRequest,
    found: ConfigurationVersion,
    form: VersionForm | None = None,
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    checked = check(found) if found.is_draft else CheckedVersion()
    effects = effects_of(found, to=request.user)
    places = {change.place for change in changes_of(found)}
    rows = change_rows(found, effects, to=request.user)
    restarting = set(ConfigurationKey.objects.filter(needs_restart=True).values_list("name", flat=True))
    values: dict[str, Any] = {
        "nav_item": "configuration",
        "version": found,
        "errors": [error_row(error) for error in seen_errors(checked.errors, to=request.user)],
        "has_errors": bool(checked.errors),
        "changes": rows,
        "hidden_changes": len(changes_of(found)) - len(rows),
        "effects": effects,
        "restarts": effects.restarts(restarting),
        "sets": terminal_sets(effects),
        "before": found.number - 1,
        "has_version": found.terminals.count(),
        "undone_by": found.undone_by.first(),
        "may_edit": access.may(request.user, EDIT) and all(place.may_edit(request.user) for place in places),
        "may_roll_out": access.may(request.user, Permission.RUN_ROLLOUTS),
        "form": form or VersionForm(initial={"title": found.title, "reason": found.reason}),
    }
    return render(request, "configuration/version.html", values, status=status)


def error_row(error: CheckError) -> dict[str, Any]:
    """`suggestion` is the text that a form would send."""
    key = ConfigurationKey.objects.filter(name=error.key).first()
    return {
        "key": error.key,
        "where": error.where,
        "layer": error.place.layer,
        "value": "" if error.value is None else shown(error.value),
        "problem": error.problem,
        "suggestion": as_text(error.suggestion[0], key.schema) if error.suggestion and key else "",
    }
