"""The page on which people make a rollout: its form, and the preview that follows it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from itertools import zip_longest
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts.access import Forbidden, visible
from tms.accounts.access.grant_scopes import is_key
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.approvals.acts import Act
from tms.approvals.gate import propose
from tms.artifacts.models import Artifact
from tms.configuration.changes import changes_of
from tms.configuration.models import ConfigurationVersion, VersionState
from tms.configuration.places import query_of
from tms.fleet.models import Terminal
from tms.lib.calendar.durations import spell
from tms.protocol.text import clean
from tms.query.editing import condition
from tms.query.errors import QueryError
from tms.rest_base.problems import ProblemError
from tms.rollouts import services
from tms.rollouts.approvals import payload_of_new
from tms.rollouts.models import Rollout, RolloutKind, Wave, WaveKind
from tms.rollouts.pages.asking import carry_out
from tms.rollouts.pages.forms import QUERY, TERMINALS, WATCHED, RolloutForm, WaveRow, first_values
from tms.rollouts.pages.items import WAITS
from tms.rollouts.pages.smallest import smallest_of
from tms.rollouts.preview import preview_of
from tms.rollouts.schemas import RolloutBody
from tms.rollouts.values import SMALL, RolloutRefused, RolloutValues, WaveValues

MAX_QUERY = 2_000


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def new_rollout(request: AuthenticatedRequest) -> HttpResponse:
    """The form, filled in from the address, and its submission: start it, ask a second person, or keep a draft."""
    at = timezone.now()
    if request.method != "POST":
        return _show(request, RolloutForm(by=request.user, initial=_initial(request, request.GET, at)), at)
    form = RolloutForm(request.POST, by=request.user)
    if {"preview", "add_wave", "remove_wave"} & set(request.POST):
        form.is_valid()
        return _show(request, form, at)
    if not form.is_valid():
        return _show(request, form, at, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _create(request, form, at)


@require_POST
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def preview_rollout(request: AuthenticatedRequest) -> HttpResponse:
    """What the form would do now, for htmx, with the table of waves and their numbers."""
    form, at = RolloutForm(request.POST, by=request.user), timezone.now()
    form.is_valid()
    return render(request, "rollouts/new.html#preview", {"is_answer": True, **_values(request, form, at)})


def _create(request: AuthenticatedRequest, form: RolloutForm, at: datetime) -> HttpResponse:
    try:
        values = form.values(at)
        if "is_draft" in request.POST:
            made = services.save_draft(values, by=request.user, at=at)
            messages.success(request, gettext("Draft saved"))
            return redirect(made)
        return _start(request, values, at)
    except (ProblemError, QueryError, RolloutRefused) as error:
        for where, text in _faults(error):
            form.add_fault(where, text)
    except Forbidden as error:
        form.add_fault("$", str(error))
    return _show(request, form, at, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _start(request: AuthenticatedRequest, values: RolloutValues, at: datetime) -> HttpResponse:
    """Plan it; a large one is confirmed first, by a second person."""
    _drafted, members = services.draft(values, by=request.user, at=at)
    proposal = propose(Act.ROLLOUT, payload_of_new(RolloutBody.of(values), members), by=request.user, at=at)
    return carry_out(
        request,
        proposal,
        reason=values.comment,
        at=at,
        act=lambda: services.create(values, by=request.user, at=at),
    )


def _faults(error: Exception) -> Iterator[tuple[str, str]]:
    """What was refused: where, as a path in the body, and why."""
    if isinstance(error, ProblemError):
        yield from error.faults or [("$", str(error))]
    else:
        yield error.where if isinstance(error, RolloutRefused) else "$.query", str(error)


def _show(
    request: AuthenticatedRequest, form: RolloutForm, at: datetime, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    return render(request, "rollouts/new.html", _values(request, form, at), status=status)


def _values(request: AuthenticatedRequest, form: RolloutForm, at: datetime) -> dict[str, Any]:
    found = _preview(request, form, at)
    numbers = found["preview"].waves if found["preview"] else []
    return {
        "nav_item": "rollouts",
        "form": form,
        "wave_rows": [replace(row, number=n) for row, n in zip_longest(form.wave_rows, numbers)],
        "watches": WATCHED,
        "small": SMALL,
        "threshold": settings.APPROVAL_TERMINALS,
        **found,
    }


def _preview(request: AuthenticatedRequest, form: RolloutForm, at: datetime) -> dict[str, Any]:
    """Nothing before the browser asks for it; then numbers, or what is missing for them."""
    if not form.is_bound or form.problems:
        return {"preview": None, "is_incomplete": form.is_bound}
    try:
        values = form.values(at)
        found = preview_of(values, to=request.user, at=at)
        smallest = smallest_of(values, form.wave_rows, found.waves, to=request.user, at=at)
    except (Forbidden, QueryError, RolloutRefused) as error:
        return {"preview": None, "problem": str(error)}
    unfit = [(WAITS.get(reason, reason), number) for reason, number in found.unfit.items()]
    return {"preview": found, "unfit": unfit, "installing": spell(found.installing_s), "smallest": smallest}


def _initial(request: AuthenticatedRequest, given: Mapping[str, str], at: datetime) -> dict[str, Any]:
    """Initial values: those of another `rollout`, an `artifact` or a `version`, and a query `q`."""
    values = first_values(at)
    if number := given.get("rollout", ""):
        values |= _again(_readable(request, number), request)
    if is_key(number := given.get("artifact", "")):
        artifact = get_object_or_404(Artifact.objects.usable(), pk=int(number))
        query = condition("model", artifact.for_models) if artifact.for_models else ""
        values |= {"kind": RolloutKind.ARTIFACT, "artifact": artifact.pk, "name": str(artifact), "q": query}
    if is_key(number := given.get("version", "")):
        version = get_object_or_404(ConfigurationVersion, number=int(number), state=VersionState.READY)
        name = gettext("Configuration %(n)s: %(title)s") % {"n": version.number, "title": version.title}
        query = query_of({change.place for change in changes_of(version, to=request.user)})
        values |= {"kind": RolloutKind.CONFIGURATION, "version": version.pk, "name": name.removesuffix(": ")[:100]}
        values["q"] = query if len(query) <= MAX_QUERY else ""
    if query := clean(given.get("q", ""))[:MAX_QUERY]:
        values |= {"by": QUERY, "q": query}
    return values


def _row_of(wave: Wave) -> WaveRow:
    return WaveRow.of(WaveValues(WaveKind(wave.kind), wave.size, wave.watch_hours))


def _readable(request: AuthenticatedRequest, number: str) -> Rollout:
    if not is_key(number):
        raise Http404
    return get_object_or_404(Rollout.objects.of(request.user), pk=int(number))


def _again(rollout: Rollout, request: AuthenticatedRequest) -> dict[str, Any]:
    """The values of a rollout, for another one."""
    seen = visible(Terminal.objects.filter(pk__in=rollout.terminals), to=request.user)
    steps = list(rollout.steps.values_list("artifact", flat=True))
    copied = ("name", "comment", "kind", "late", "hours", "at_once", "per_site", "approval", "postpone_limit")
    more = ("postpone_s", "postponed_then", "mobile_mb", "measures", "failed_pct", "failed_after")
    return {
        **{name: getattr(rollout, name) for name in (*copied, *more)},
        "artifact": steps[0] if steps else None,
        "then": steps[1] if len(steps) > 1 else None,
        "version": rollout.version_id,
        "by": QUERY if rollout.query else TERMINALS,
        "q": rollout.query,
        "terminals": list(seen.order_by("uid").values_list("uid", flat=True)),
        "waves": [
            WaveRow.of(WaveValues(WaveKind(wave.kind), wave.size, wave.watch_hours))
            for wave in rollout.waves.exclude(kind=WaveKind.LATE)
        ],
    }
