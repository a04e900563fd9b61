"""The page of the configuration of one terminal: what it shall have, from which layer, and what it reports."""

from itertools import groupby
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.commands.kinds import CONFIGURE
from tms.commands.models import Command
from tms.configuration import delivery
from tms.configuration.cells import shown
from tms.configuration.contents import FleetPlaces, Renderer, VersionLayers
from tms.configuration.layers import EffectiveValue, StoredValue
from tms.configuration.models import ConfigurationKey, Layer, TerminalConfiguration
from tms.configuration.pages.change_views import send_now
from tms.configuration.places import EDIT, Place, names_of
from tms.fleet.models import Terminal

SHOWN_COMMANDS = 8


class ValueRow(NamedTuple):
    """A key of the terminal. `state` is applied, refused, differs, restart or unknown."""

    key: ConfigurationKey
    value: str
    layer: Layer
    place: str
    over: str | None
    before: str | None
    """The value of the version that it applied last, if another one."""
    state: str
    reason: str = ""

    @property
    def section(self) -> str:
        return self.key.name.partition(".")[0]


@require_safe
@never_cache
@sign_in_required
def terminal_configuration(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    terminal = _find(request.user, uid)
    stored = TerminalConfiguration.objects.select_related("version", "applied_version").filter(pk=terminal.pk).first()
    rows = value_rows(terminal, stored)
    sent = Command.objects.filter(terminal=terminal, name=CONFIGURE).select_related("created_by").order_by("-pk")
    values: dict[str, Any] = {
        "nav_item": "terminals",
        "terminal": terminal,
        "stored": stored,
        "can_be_configured": bool(delivery.can_be_configured([terminal.pk])),
        "sections": [(name, list(of_section)) for name, of_section in groupby(rows, lambda row: row.section)],
        "number": len(rows),
        "layers": [(layer, sum(row.layer is layer for row in rows)) for layer in Layer],
        "states": {
            state: sum(row.state == state for row in rows) for state in ("applied", "refused", "differs", "restart")
        },
        "groups": terminal.groups.all(),
        "sent": sent[:SHOWN_COMMANDS],
        "may_edit": access.may(request.user, EDIT, terminal),
        "may_send": access.may(request.user, Permission.RUN_ROLLOUTS, terminal),
    }
    return render(request, "configuration/terminal.html", values)


@require_POST
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def send_again(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """Send the terminal the values that it shall have, of the version that it shall have."""
    terminal = _find(request.user, uid)
    access.demand(request.user, Permission.RUN_ROLLOUTS, terminal)
    stored = TerminalConfiguration.objects.select_related("version").filter(pk=terminal.pk).first()
    if stored is None or stored.version is None or not delivery.can_be_configured([terminal.pk]):
        messages.error(request, gettext("%(uid)s has no version that could be sent.") % {"uid": uid})
        return redirect("terminal-configuration", uid)
    send_now(terminal, stored.version, request)
    messages.success(request, gettext("Sent to %(uid)s.") % {"uid": uid})
    return redirect("terminal-configuration", uid)


def _find(person: User, uid: str) -> Terminal:
    seen = access.visible(Terminal.objects.select_related("site", "state"), to=person)
    return get_object_or_404(seen, uid=uid)


def value_rows(terminal: Terminal, stored: TerminalConfiguration | None) -> list[ValueRow]:
    """The effective values at the version that the terminal shall have, by key."""
    if stored is None or stored.version is None:
        return []
    number = stored.version.number
    applied = stored.applied_version.number if stored.applied_version else 0
    places = FleetPlaces([terminal.pk])
    layers, where = VersionLayers(places, {number, applied}), places.of[terminal.pk]
    effective, before = layers.at(number).effective(where), layers.at(applied).effective(where)
    names = names_of({_place(one.stored) for one in effective.values()})
    keys = {key.name: key for key in ConfigurationKey.objects.filter(name__in=effective)}
    reader = _RowReader(stored, Renderer([terminal.site_id]), terminal.site_id)
    return [
        reader.row(keys[name], effective[name], before[name].stored if name in before else None, names)
        for name in sorted(effective)
    ]


class _RowReader:
    def __init__(self, stored: TerminalConfiguration, renderer: Renderer, site: int) -> None:
        self._stored, self._renderer, self._site = stored, renderer, site

    def row(
        self, key: ConfigurationKey, one: EffectiveValue, before: StoredValue | None, names: dict[Place, str]
    ) -> ValueRow:
        reason = self._stored.refused.get(key.name, "")
        value, former = self._text(one.stored), self._text(before) if before else None
        is_changed = self._stored.differs and (before != one.stored if one.stored.secret else former != value)
        if reason:
            state = "refused"
        elif is_changed:
            state = "differs"
        elif key.needs_restart and self._stored.needs_restart:
            state = "restart"
        else:
            state = "applied"
        over = self._text(one.over[0]) if one.over else None
        place = _place(one.stored)
        shown_before = former if is_changed else None
        return ValueRow(key, value, place.layer, names[place], over, shown_before, state, reason)

    def _text(self, stored: StoredValue) -> str:
        return shown(self._renderer.value(stored, self._site))


def _place(stored: StoredValue) -> Place:
    return Place(stored.layer, stored.place)
