"""Texts of the values of identity changes, without the names of rows that the reader does not see."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Model

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.fleet.models import Group, IdentityChange, IdentityField, Site, Terminal

NAMED: Mapping[str, type[Model]] = {
    IdentityField.SITE: Site,
    IdentityField.PARENT: Terminal,
    IdentityField.GROUPS: Group,
}
"""Fields whose values are rows with names."""
HIDDEN = "…"


def write_out(changes: Collection[IdentityChange], scope: Scope) -> None:
    """Make the values of `changes` texts. The rows are to be shown, and never saved."""
    for field, model in NAMED.items():
        of_field = [change for change in changes if change.field == field]
        named = {pk for change in of_field for value in (change.before, change.after) for pk, _ in _rows(field, value)}
        shown = _shown(model, named, scope)
        for change in of_field:
            change.before, change.after = (_text(field, value, shown) for value in (change.before, change.after))


def _shown(model: type[Model], named: Collection[int], scope: Scope) -> Collection[int]:
    """The rows that the scope shows. Deleted ones are shown to people who see everything."""
    if scope.is_everything or not named:
        return named
    return set(within(model._default_manager.filter(pk__in=named), scope).values_list("pk", flat=True))


def _rows(field: str, value: Any) -> list[tuple[int, str]]:
    if field == IdentityField.GROUPS:
        return [(pk, name) for pk, name in value]
    return [(value[0], value[1])] if value else []


def _text(field: str, value: Any, shown: Collection[int]) -> str:
    return ", ".join(name if pk in shown else HIDDEN for pk, name in _rows(field, value))
