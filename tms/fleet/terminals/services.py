"""Services for terminals that people edit. Boards show every change at once."""

from django.db import transaction

from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Terminal, TerminalState

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


class Cycle(Exception):
    """A terminal cannot be connected via itself, nor via one that is connected via it."""

    code = "tms:circle"


def check_no_cycle(terminal_id: int | None, parent_id: int | None) -> None:
    """Follow `parent_id` upwards and lock the rows, so that concurrent edits cannot make a cycle either.

    Call it in a transaction. Raises Cycle if it leads to the terminal itself.
    """
    passed: set[int] = set()
    while parent_id is not None and parent_id not in passed:
        if parent_id == terminal_id:
            raise Cycle(f"terminal {terminal_id} would be linked through itself")
        passed.add(parent_id)
        way = Terminal.objects.select_for_update(no_key=True).filter(pk=parent_id)
        parent_id = way.values_list("parent", flat=True).first()
