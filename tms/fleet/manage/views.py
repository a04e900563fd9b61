"""The page for managing one terminal: its identity, device, keys, groups, state and history."""

from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs_to_post
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.approvals.clearance import NotAgreed
from tms.fleet.devices import undo
from tms.fleet.label_editing.panel import panel_of
from tms.fleet.label_editing.subjects import Labelled
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.manage import page, rows
from tms.fleet.manage.forms import MembershipForm, TerminalForm, next_states
from tms.fleet.models import Group, Site, Terminal
from tms.fleet.terminals.lifecycle_changes import BRING_BACK_WITHIN
from tms.fleet.terminals.services import Cycle, TerminalValues, edit_terminal
from tms.lib.forms.saved import redirect_saved

CHANGES_PER_PAGE = 25
MEANINGS: dict[Lifecycle, str | Promise] = {
    Lifecycle.PLANNED: pgettext_lazy("lifecycle", "Nothing of it counts yet. Its first connection puts it in service."),
    Lifecycle.IN_SERVICE: pgettext_lazy(
        "lifecycle", "It is monitored: it opens alerts, and counts in totals and towards availability."
    ),
    Lifecycle.OUT_OF_SERVICE: pgettext_lazy(
        "lifecycle",
        "It may connect and takes commands. It opens no alerts, and counts neither in totals nor towards availability.",
    ),
    Lifecycle.RETIRED: pgettext_lazy("lifecycle", "It cannot connect. Its history and its past availability stay."),
}
OFFERED = (Permission.MANAGE_TERMINALS, Permission.ENROL_TERMINALS, Permission.MANAGE_GROUPS)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_to_post(Permission.MANAGE_TERMINALS)
def manage_terminal(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """Everyone who sees the terminal reads the page. POST edits its identity."""
    terminal = page.find_terminal(request, uid)
    if request.method != "POST":
        return show_terminal(request, terminal)
    access.demand(request.user, Permission.MANAGE_TERMINALS, terminal)
    form = TerminalForm(request.POST, terminal=terminal, by=request.user)
    try:
        if form.is_valid() and _is_saved(form, form.values):
            return redirect_saved(request, "manage-terminal", uid)
    except NotAgreed:
        _is_saved(form, replace(form.values, site=terminal.site))
        return _ask_to_move(request, terminal, form.values.site)
    return show_terminal(request, page.find_terminal(request, uid), form=form)


def _ask_to_move(request: AuthenticatedRequest, terminal: Terminal, to: Site) -> HttpResponse:
    """A bulk edit of the one terminal asks a second person."""
    text = gettext("%(uid)s is the last working lane of an open site: moving it needs a second person.")
    messages.warning(request, text % {"uid": terminal.uid})
    edit = {"terminal": terminal.uid, "site": to.code}
    return redirect(f"{reverse('edit-terminals', args=('move',))}?{urlencode(edit)}")


def _is_saved(form: TerminalForm, values: TerminalValues) -> bool:
    """False with an error in the form. Raises NotAgreed."""
    try:
        edit_terminal(form.terminal, values, by=form.by, at=timezone.now())
    except Cycle:
        form.add_error("parent", gettext("That terminal is connected via this one. Choose another."))
        return False
    return True


def show_terminal(
    request: AuthenticatedRequest,
    terminal: Terminal,
    *,
    form: TerminalForm | None = None,
    group_form: MembershipForm | None = None,
    problem: str = "",
) -> HttpResponse:
    """422 with a form that has errors, 409 with a problem."""
    by, at = request.user, timezone.now()
    changes = Paginator(rows.changes_of(terminal), CHANGES_PER_PAGE).get_page(request.GET.get("page"))
    state = Lifecycle(terminal.lifecycle)
    placements = rows.placements_of(terminal)
    context: dict[str, object] = {
        "problem": problem,
        "may_here": {permission.key: access.may(by, permission, terminal) for permission in OFFERED},
        "form": form or TerminalForm(terminal=terminal, by=by),
        "placements": placements,
        "placed": placements[0] if placements and placements[0].ended_at is None else None,
        "replaced": undo.undoable(terminal, at=at),
        "keys": rows.key_rows(terminal, at=at),
        "unexpected": rows.unexpected_rows(terminal, to=by),
        **_groups(terminal, by, group_form),
        "labels": panel_of(Labelled(terminal), to=by),
        "state": state,
        "meaning": MEANINGS[state],
        "next_states": next_states(terminal),
        "is_retired": state is Lifecycle.RETIRED,
        "may_return_until": (terminal.lifecycle_at or at) + BRING_BACK_WITHIN,
        "was_connected": terminal.state.last_seen_at is not None,
        "changes": rows.change_rows(changes.object_list, to=by),
        "previous": f"?page={changes.previous_page_number()}#history" if changes.has_previous() else "",
        "next": f"?page={changes.next_page_number()}#history" if changes.has_next() else "",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form or group_form else HTTPStatus.OK
    return page.show(request, terminal, "terminal", context, status=HTTPStatus.CONFLICT if problem else status)


def _groups(terminal: Terminal, by: User, form: MembershipForm | None) -> dict[str, object]:
    """The groups that the person sees, and which of them they may change."""
    mine = access.visible(Group.objects.filter(terminals=terminal).order_by("name"), to=by)
    changeable = access.permitted(Group.objects.all(), by=by, permission=Permission.MANAGE_GROUPS)
    may_remove = set(changeable.filter(terminals=terminal, query="").values_list("pk", flat=True))
    return {
        "groups": [(group, group.pk in may_remove) for group in mine],
        "group_form": form or MembershipForm(by=by, besides=terminal),
        "has_groups": changeable.exclude(terminals=terminal).exists(),
    }
