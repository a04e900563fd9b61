"""The page of the configuration of one terminal: what it shall have, from which layer, and what it reports."""

from itertools import groupby
from typing import Any

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
from tms.configuration.models import Layer, TerminalConfiguration
from tms.configuration.pages.change_views import send_now
from tms.configuration.places import EDIT
from tms.configuration.terminal_values import effective_values
from tms.fleet.models import Terminal

SHOWN_COMMANDS = 8


@require_safe
@never_cache
@sign_in_required
def terminal_configuration(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    terminal = _find(request.user, uid)
    stored = TerminalConfiguration.objects.select_related("version", "applied_version").filter(pk=terminal.pk).first()
    rows = effective_values(terminal, stored)
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
