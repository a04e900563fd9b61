"""Services for terminals that people edit. Boards show every change at once."""

from django.db import transaction

from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Terminal, TerminalState
from tms.fleet.terminals.parents import check_no_cycle

EDITED = ("site", "kind", "label", "parent")
"""The columns that people edit. The terminal writes to others when it boots."""


@transaction.atomic
def update_terminal(terminal: Terminal) -> None:
    """Save an edited terminal. A new one is enrolled instead (`tms.fleet.credentials.services`).

    With another site or kind it moves to other lists, so every board reads again. Raises Cycle if it would be
    connected via itself.
    """
    check_no_cycle(terminal.pk, terminal.parent_id)
    before = Terminal.objects.values_list("site_id", "kind").get(pk=terminal.pk)
    terminal.save(update_fields=EDITED)
    is_elsewhere = before != (terminal.site_id, terminal.kind)
    publish(Change(terminals=frozenset({terminal.pk}), everything=is_elsewhere))


@transaction.atomic
def delete_terminal(terminal: Terminal) -> None:
    """Delete a terminal with its keys and its history. Locks its link state first, as code that changes alerts does."""
    list(TerminalState.objects.select_for_update().filter(terminal=terminal))
    keys = frozenset(terminal.credentials.values_list("pk", flat=True))
    terminal.delete()
    publish(Change(revoked=keys, everything=True))
