"""Who is in the fleet, as people set it up by hand. Boards see every change at once."""

from django.db import transaction

from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Terminal
from tms.fleet.terminals.parents import check_no_cycle


@transaction.atomic
def update_terminal(terminal: Terminal) -> None:
    """Save what was edited of a terminal. A new one is enrolled instead (`tms.fleet.credentials.services`).

    One that moved, or became another kind, leaves some lists and comes into others, so every board reads again.
    Raises Circle when it would be linked through itself.
    """
    check_no_cycle(terminal.pk, terminal.parent_id)
    stood = Terminal.objects.values_list("site_id", "kind").get(pk=terminal.pk)
    terminal.save()
    is_elsewhere = stood != (terminal.site_id, terminal.kind)
    publish(Change(terminals=frozenset({terminal.pk}), everything=is_elsewhere))


@transaction.atomic
def delete_terminal(terminal: Terminal) -> None:
    """Delete a terminal with its keys and its history."""
    keys = frozenset(terminal.credentials.values_list("pk", flat=True))
    terminal.delete()
    publish(Change(revoked=keys, everything=True))
