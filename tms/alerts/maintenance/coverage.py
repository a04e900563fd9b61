"""Which terminals the maintenance windows cover, and what becomes of a window whose sites and groups grow.

A window covers what joins its sites and groups later. One that outgrows what was agreed to when it was planned or
extended covers no more than what it had then, until somebody extends it or plans another.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from django.db import models

from tms.accounts.audit import recorder
from tms.accounts.display_names import name_of
from tms.alerts.models.maintenance import Window
from tms.approvals.clearance import has_outgrown
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Group, IdentityChange, IdentityField, Terminal

log = structlog.get_logger(__name__)


class MaintenanceCoverage(NamedTuple):
    """The window that covers a terminal."""

    window_id: int
    until: datetime
    note: str
    by: str


def running(at: datetime) -> list[Window]:
    """Windows with an active occurrence and their authors, in one query; also before the clock moved them on."""
    begun = Window.objects.current().filter(occurs_at__lte=at).select_related("created_by")
    windows = []
    for window in begun:
        try:
            occurrence = window.occurrence_at(at)
        except Exception:  # an unreadable window must not hide the others
            log.exception("window_unreadable", window=window.pk)
            continue
        if occurrence is not None:
            window.occurs_at, window.occurs_until = occurrence
            windows.append(window)
    return windows


def coverage_of(
    site_of: Mapping[int, int], *, among: Iterable[Window], groups_of: Mapping[int, Collection[int]] | None = None
) -> dict[int, MaintenanceCoverage]:
    """Which of these terminals (with their sites) the windows `among` cover, and which of them lasts longest.

    `groups_of`: the groups of terminals that had others than today, for a past instant.
    No query if there are no windows, otherwise three.
    """
    windows = {window.pk: window for window in among}
    if not windows:
        return {}
    longest: dict[int, Window] = {}
    for window_id, terminal_id in pairs(windows, site_of, groups_of):
        window, known = windows[window_id], longest.get(terminal_id)
        if known is None or known.occurs_until < window.occurs_until:
            longest[terminal_id] = window
    return {terminal_id: _cover(window) for terminal_id, window in longest.items()}


def pairs(
    windows: Collection[int],
    site_of: Mapping[int, int],
    groups_of: Mapping[int, Collection[int]] | None = None,
) -> Iterator[tuple[int, int]]:
    """(window, terminal) for each way in which a window covers a terminal. `groups_of`: where not those of today."""
    at_site: dict[int, list[int]] = {}
    for terminal_id, site_id in site_of.items():
        at_site.setdefault(site_id, []).append(terminal_id)
    growing = Window.objects.filter(pk__in=windows, is_outgrown=False)
    of_sites = Window.sites.through.objects.filter(window__in=growing, site__in=at_site)
    for window_id, site_id in of_sites.values_list("window", "site"):
        yield from ((window_id, terminal_id) for terminal_id in at_site[site_id])
    named, agreed = (
        field.through.objects.filter(terminal__in=site_of) for field in (Window.terminals, Window.agreed_terminals)
    )
    outgrown = agreed.filter(window__in=windows, window__is_outgrown=True).values_list("window", "terminal")
    yield from named.filter(window__in=windows).values_list("window", "terminal").union(outgrown)
    others = groups_of or {}
    grouped = Group.terminals.through.objects.filter(
        group__windows__in=growing, terminal__in=site_of.keys() - others.keys()
    )
    yield from grouped.values_list("group__windows", "terminal")
    for terminal_id, groups in others.items():
        of_groups = Window.groups.through.objects.filter(window__in=growing, group__in=groups)
        yield from ((window_id, terminal_id) for window_id in of_groups.values_list("window", flat=True))


def _cover(window: Window) -> MaintenanceCoverage:
    by = name_of(window.created_by).text if window.created_by else ""
    return MaintenanceCoverage(window.pk, window.occurs_until, window.note, by)


def in_scope(windows: Iterable[Window] | models.QuerySet[Window, Any]) -> models.Q:
    """The terminals that any of `windows` covers, as a filter of terminals."""
    pks = windows if isinstance(windows, models.QuerySet) else [window.pk for window in windows]
    chosen = Window.objects.filter(pk__in=pks)
    named = Window.terminals.through.objects.filter(window__in=chosen)
    agreed = Window.agreed_terminals.through.objects.filter(window__in=chosen.filter(is_outgrown=True))
    return (
        reach(chosen.filter(is_outgrown=False))
        | models.Q(pk__in=named.values("terminal"))
        | models.Q(pk__in=agreed.values("terminal"))
    )


def reach(windows: models.QuerySet[Window]) -> models.Q:
    """What their scopes have now, whether or not somebody agreed to so many."""
    return (
        models.Q(site__in=Window.sites.through.objects.filter(window__in=windows).values("site"))
        | models.Q(pk__in=Window.terminals.through.objects.filter(window__in=windows).values("terminal"))
        | models.Q(pk__in=Group.terminals.through.objects.filter(group__windows__in=windows).values("terminal"))
    )


def agree(window: Window) -> None:
    """It may cover what its scope has now. Call it in a transaction, once this was asked."""
    terminals = list(Terminal.objects.filter(reach(_only(window))).values_list("pk", flat=True))
    Window.objects.filter(pk=window.pk).update(agreed=len(terminals), is_outgrown=False)
    window.agreed_terminals.set(terminals)


def follow_identity(*, changes: Collection[IdentityChange], **_: object) -> None:
    """Terminals changed their sites or groups. A receiver of `identity_changed`."""
    moved = [change.terminal_id for change in changes if change.field in (IdentityField.SITE, IdentityField.GROUPS)]
    if moved:
        now_in = models.Q(sites__terminals__in=moved) | models.Q(groups__terminals__in=moved)
        left = models.Q(agreed_terminals__in=moved)
        check_growth(Window.objects.current().filter(now_in | left).distinct())


def check_growth(windows: Iterable[Window]) -> None:
    """Whether they outgrew what was agreed to. Call it in a transaction."""
    for window in windows:
        terminals = Terminal.objects.filter(reach(_only(window)))
        window.agreed_terminals.through.objects.filter(window=window).exclude(terminal__in=terminals).delete()
        number = terminals.count()
        is_outgrown = has_outgrown(number, window.agreed)
        if Window.objects.filter(pk=window.pk).exclude(is_outgrown=is_outgrown).update(is_outgrown=is_outgrown):
            recorder.record("outgrown" if is_outgrown else "covered", window, {"terminals": (window.agreed, number)})
            publish(Change(everything=True))


def _only(window: Window) -> models.QuerySet[Window]:
    return Window.objects.filter(pk=window.pk)
