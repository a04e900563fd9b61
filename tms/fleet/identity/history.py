"""Records what identifies terminals when it changes."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import JSONNull
from django.dispatch import Signal

from tms.accounts.models import User
from tms.fleet.models import Group, IdentityChange, IdentityField, IdentitySource, Terminal

type Facts = Mapping[str, Any]
"""The values of a terminal, by `IdentityField`."""

TEXTS = (
    IdentityField.SERIAL,
    IdentityField.MODEL,
    IdentityField.FIRMWARE,
    IdentityField.AGENT,
    IdentityField.LABEL,
    IdentityField.KIND,
    IdentityField.LIFECYCLE,
)


identity_changed = Signal()
"""Sent in the transaction with `changes`, the new rows of the history."""


@contextmanager
def recording(
    terminals: Collection[int], *, by: User | None, at: datetime, source: IdentitySource = IdentitySource.PERSON
) -> Iterator[None]:
    """A transaction that changes `terminals`, and ends by recording the differences."""
    with transaction.atomic():
        before = facts_of(terminals)
        yield
        after = facts_of(terminals)
        rows = (
            IdentityChange(
                terminal_id=pk,
                at=at,
                field=name,
                before=_stored(value),
                after=_stored(after[pk][name]),
                source=source,
                by=by,
            )
            for pk, facts in before.items()
            if pk in after
            for name, value in facts.items()
            if value != after[pk][name]
        )
        changed = list(rows)
        IdentityChange.objects.bulk_create(changed, batch_size=1_000)
        notify(changed)


def notify(changes: Collection[IdentityChange]) -> None:
    """Call the receivers of `identity_changed` after `changes` are written, in the same transaction."""
    if changes:
        identity_changed.send(Terminal, changes=changes)


def _stored(value: Any) -> Any:
    """No parent is a value, too."""
    return JSONNull() if value is None else value


def facts_of(terminals: Collection[int]) -> dict[int, Facts]:
    """Two queries."""
    related = ("site_id", "site__code", "parent_id", "parent__uid")
    rows = Terminal.objects.filter(pk__in=terminals).order_by().values_list("pk", *related, *TEXTS)
    groups = _groups_of(terminals)
    return {
        pk: {
            **dict(zip(TEXTS, texts, strict=True)),
            IdentityField.SITE: [site_id, code],
            IdentityField.PARENT: [parent_id, uid] if parent_id else [],
            IdentityField.GROUPS: groups.get(pk, []),
        }
        for pk, site_id, code, parent_id, uid, *texts in rows
    }


def _groups_of(terminals: Collection[int]) -> dict[int, list[list[Any]]]:
    found: defaultdict[int, list[list[Any]]] = defaultdict(list)
    rows = Group.terminals.through.objects.filter(terminal__in=terminals).order_by("group")
    for terminal_id, group_id, name in rows.values_list("terminal", "group", "group__name"):
        found[terminal_id].append([group_id, name])
    return found
