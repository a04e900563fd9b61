"""The page of a rollout, and its terminals as CSV."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tms.accounts import access
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.display_names import Name, name_of
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.lib import csv_export
from tms.lib.csv_export import Cell
from tms.rollouts import services
from tms.rollouts.models import Rollout, RolloutEventKind, RolloutState, Wave, WaveState
from tms.rollouts.pages import items as rollout_items
from tms.rollouts.pages.allowed import Allowed
from tms.rollouts.pages.effects import effects_of
from tms.rollouts.pages.evidence import EvidenceBar
from tms.rollouts.pages.items import SHOWS, ItemsQuery
from tms.rollouts.pages.notified import notified_of
from tms.rollouts.pages.progress import ItemCounts, RolloutProgress, progress_of
from tms.rollouts.pages.timeline import last, timeline_of
from tms.rollouts.pages.waves import WaveView, wave_views
from tms.rollouts.pages.words import ICONS, PAST, FirstLine, coming, first_line
from tms.rollouts.services import RollBack

POLL_S, POLL_LARGE_S, POLL_STILL_S = 2, 10, 30
MANY_ITEMS = 2_000
EXPORTED_AT_ONCE = 1_000
EXPORT_HEAD = ("terminal", "site", "wave", "state", "reason", "version_before", "attempts", "state_at", "error")


@require_safe
@never_cache
@sign_in_required
def rollout(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """A rollout that the person may read. It asks for itself again while it is open."""
    return show(request, find(request, pk))


@require_safe
@never_cache
@sign_in_required
def export_items(request: AuthenticatedRequest, pk: int) -> HttpResponseBase:
    """The terminals of a rollout that the person sees, as CSV."""
    found = find(request, pk)
    recorder.record_export(Rollout, "csv", f"rollout={pk}")
    rows = _ExportedRolloutItems(request, found)
    return csv_export.stream(f"tms-rollout-{pk}-{timezone.localdate():%Y-%m-%d}.csv", EXPORT_HEAD, rows)


class _ExportedRolloutItems:
    """The rows of a rollout, a part with each call."""

    columns = (
        "pk",
        "terminal__uid",
        "terminal__site__code",
        "wave__number",
        "state",
        "reason",
        "version_before",
        "attempts",
        "state_at",
        "error",
    )

    def __init__(self, request: AuthenticatedRequest, found: Rollout) -> None:
        self._rows = rollout_items.items_of(found, request.user).order_by("pk").values_list(*self.columns)
        self._last = 0

    def __call__(self) -> Sequence[Sequence[Cell]]:
        part = list(self._rows.filter(pk__gt=self._last)[:EXPORTED_AT_ONCE])
        self._last = part[-1][0] if part else self._last
        return [(*row[1:-2], _written(row[-2]), row[-1]) for row in part]


def _written(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""


def find(request: AuthenticatedRequest, pk: int) -> Rollout:
    rollouts = Rollout.objects.of(request.user).select_related("started_by", "version", "rolls_back")
    return get_object_or_404(rollouts, pk=pk)


def show(request: AuthenticatedRequest, found: Rollout, *, status: int = 200, **more: Any) -> HttpResponse:
    template = "rollouts/rollout.html#page" if request.htmx else "rollouts/rollout.html"
    return render(request, template, _values(request, found) | more, status=status)


def _values(request: AuthenticatedRequest, found: Rollout) -> dict[str, Any]:
    waves = list(found.waves.select_related("asked_by", "approved_by"))
    progress = progress_of([found.pk], to=request.user)[found.pk]
    counts, query = progress.all, ItemsQuery.of(request.GET)
    items = rollout_items.items_of(found, request.user)
    page = rollout_items.items_page(items, found, query)
    can = Allowed.of(found, coming(waves), counts, to=request.user)
    views = wave_views(waves, progress, items)
    effects = effects_of(found, to=request.user, is_past=found.state in PAST)
    return {
        "nav_item": "rollouts",
        "rollout": found,
        "effects": effects,
        "curve": effects.curve if effects else None,
        "loudest": effects.loudest if effects and can.go_on else None,
        "watched_until": next((wave.watched_until for wave in waves if wave.state == WaveState.WATCHED), None),
        "poll_s": _poll_s(found, counts.total),
        "may_run": access.may(request.user, Permission.RUN_ROLLOUTS),
        "query": query,
        "items": page.rows,
        "tabs": _tabs(counts, query),
        "next": query.address(after=page.after) if page.after else "",
        "first": query.address(after="") if query.after else "",
        "waves": views,
        "has_tens": any(view.is_by_ten and not view.bars for view in views),
        "reasons": rollout_items.attention_of(items) if counts.attention else [],
        "failed_share": min(100.0, 100 * counts.failed_pct / found.failed_pct) if found.failed_pct else 0,
        "timeline": timeline_of(found),
        "notified": [] if found.state in PAST else notified_of(found, access.scope_of(request.user), at=timezone.now()),
        **_head(found, waves, counts, progress),
        **_next(found, waves, views),
        "can": can,
        "back": _back(found, request.user) if can.roll_back and found.state == RolloutState.STOPPED else None,
    }


def _head(found: Rollout, waves: Sequence[Wave], counts: ItemCounts, progress: RolloutProgress) -> dict[str, Any]:
    return {
        "line": _line(found, waves, counts),
        "icon": ICONS[found.state],
        "by": name_of(found.started_by) if found.started_by else None,
        "counts": counts,
        "bar": progress.bar([wave.number for wave in waves]),
        "evidence": EvidenceBar.of(found.evidence, is_past=found.state in PAST),
        "artifacts": [step.artifact for step in found.steps.select_related("artifact")],
        "rollbacks": list(found.rollbacks.order_by("pk")),
        "incident": found.incident,
    }


def _line(found: Rollout, waves: Sequence[Wave], counts: ItemCounts) -> FirstLine:
    line = first_line(found, waves, counts)
    paused = last(found, RolloutEventKind.PAUSED) if found.state == RolloutState.PAUSED else None
    if paused is None or paused.by is None:
        return line
    return line._replace(text=pgettext("rollout", "Paused by %(who)s") % {"who": name_of(paused.by).text})


def _next(found: Rollout, waves: Sequence[Wave], views: Sequence[WaveView]) -> dict[str, Any]:
    """The wave that comes next, while the rollout can go on."""
    wave = coming(waves) if found.state not in PAST and found.state != RolloutState.STOPPED else None
    view = next((view for view in views if view.wave is wave), None)
    return {
        "next_wave": view,
        "asked_by": _name(wave.asked_by) if wave else None,
        "approved_by": _name(wave.approved_by) if wave else None,
    }


def _back(found: Rollout, person: User) -> RollBack | None:
    preview = services.roll_back_of(found, by=person)
    return preview if preview.terminals or preview.lacking else None


def _name(person: User | None) -> Name | None:
    return name_of(person) if person else None


def _tabs(counts: ItemCounts, query: ItemsQuery) -> list[tuple[str, str, int, str]]:
    labels = {
        "attention": pgettext("terminals of a rollout", "Attention"),
        "working": pgettext("terminals of a rollout", "Working"),
        "postponed": pgettext("terminals of a rollout", "Postponed"),
        "done": pgettext("terminals of a rollout", "Done"),
        "waiting": pgettext("terminals of a rollout", "Waiting"),
        "out": pgettext("terminals of a rollout", "Left out"),
    }
    tabs = [(show, label, counts.among(SHOWS[show])) for show, label in labels.items()]
    shown = [tab for tab in tabs if tab[2] or tab[0] == query.show]
    every = ("", pgettext("terminals of a rollout", "All"), counts.total)
    return [(*tab, query.address(show=tab[0], after="") or "?") for tab in (every, *shown)]


def _poll_s(found: Rollout, items: int) -> int:
    """How often the page asks for itself again, less often for rollouts that cost more to count; 0 for never."""
    if found.state in PAST or found.state == RolloutState.DRAFT:
        return 0
    is_soon = found.state == RolloutState.PLANNED and found.starts_at <= timezone.now() + timedelta(
        seconds=POLL_LARGE_S
    )
    if found.state != RolloutState.RUNNING and not is_soon:
        return POLL_STILL_S if items > MANY_ITEMS else POLL_LARGE_S
    return POLL_S if items <= MANY_ITEMS else POLL_LARGE_S
