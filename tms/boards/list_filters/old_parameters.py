"""Parameters that the list of terminals had before it had a query. Links that people kept still work."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from django.http import QueryDict

from tms.accounts.access import Person, visible
from tms.fleet.models import Group, Lifecycle, Presence, Status, TerminalKind
from tms.lib.severity import Severity
from tms.query.editing import condition

MAX_VALUE_CHARACTERS = 64
MAX_KEY_DIGITS = 18
GROUP = "group"


class OldParameter(NamedTuple):
    field: str
    """The field of a query that replaces it."""
    values: Collection[str] = ()
    """Any text, if empty; others are left out."""


OLD_PARAMETERS: Mapping[str, OldParameter] = {
    "site": OldParameter("site"),
    "kind": OldParameter("kind", TerminalKind.values),
    GROUP: OldParameter("group"),
    "presence": OldParameter("presence", Presence.values),
    "expected": OldParameter("expected", ("maintenance", "closed")),
    "status": OldParameter("status", Status.values),
    "severity": OldParameter("alert", ("any", *Severity.values)),
    "lost_with": OldParameter("lost_with"),
    "lifecycle": OldParameter("state", Lifecycle.values),
}


def conditions(query: QueryDict, *, to: Person | None) -> list[str]:
    """What the old parameters say, as conditions of a query."""
    found = ((old.field, _values(query, name, old, to)) for name, old in OLD_PARAMETERS.items())
    return [condition(field, values) for field, values in found if values]


def _values(query: QueryDict, name: str, old: OldParameter, to: Person | None) -> Sequence[str]:
    if old.values:
        return sorted({value for value in query.getlist(name) if value in old.values})
    value = query.get(name, "").replace("\0", "").strip()[:MAX_VALUE_CHARACTERS]
    return [_group_name(value, to) if name == GROUP else value] if value else []


def _group_name(key: str, to: Person | None) -> str:
    """The name of the group that had this primary key; the key if the person sees none, which no group is called."""
    if to is None or not (key.isascii() and key.isdigit() and len(key) < MAX_KEY_DIGITS):
        return key
    return visible(Group.objects.filter(pk=int(key)), to=to).values_list("name", flat=True).first() or key
