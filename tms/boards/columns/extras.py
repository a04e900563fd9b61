"""What columns of terminals need beyond their rows: each query is made once for a page, and only if it is shown."""

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any

from django.db.models import QuerySet

from tms.boards.columns.terminals import ATTRIBUTE
from tms.fleet.models import (
    DeviceAttribute,
    DeviceTag,
    Group,
    SiteAttribute,
    SiteTag,
    Terminal,
    TerminalAttribute,
    TerminalTag,
)

IDENTITY = ("kind", "serial", "address", "agent")
"""Columns of the terminal itself that few lists show."""

type RowExtras = tuple[tuple[str, Hashable], ...]
"""The values of one terminal by column, hashable because rendered rows are cached by what they show."""
type Rows = QuerySet[Any, Any]


def extras_of(pks: Collection[int], columns: Collection[str]) -> dict[int, RowExtras]:
    """What these columns need of these terminals. Who sees a terminal sees its labels and its groups' names."""
    found: dict[int, dict[str, Hashable]] = {pk: {} for pk in pks}
    if not found:
        return {}
    for name, read in WORDS.items():
        if name in columns:
            _add_words(found, name, read(pks))
    if identity := [name for name in IDENTITY if name in columns]:
        for pk, *values in Terminal.objects.filter(pk__in=pks).values_list("pk", *identity):
            found[pk] |= dict(zip(identity, (value or "" for value in values), strict=True))
    if attributes := [name.removeprefix(ATTRIBUTE) for name in columns if name.startswith(ATTRIBUTE)]:
        for pk, name, text, number, day in _attributes(pks, attributes):
            shown = number if number is not None else day.isoformat() if day else text
            found[pk][f"{ATTRIBUTE}{name}"] = shown
    return {pk: tuple(values.items()) for pk, values in found.items()}


def _add_words(found: dict[int, dict[str, Hashable]], name: str, rows: Rows) -> None:
    by_terminal: dict[int, list[str]] = {}
    for pk, word in rows:
        by_terminal.setdefault(pk, []).append(word)
    for pk, words in by_terminal.items():
        found[pk][name] = tuple(sorted(words))


def _tags(pks: Collection[int]) -> Rows:
    """Also those of the site and the device, by which queries find the terminal, too."""
    return _of_all_subjects((TerminalTag, SiteTag, DeviceTag), pks, "name")


def _groups(pks: Collection[int]) -> Rows:
    members = Group.terminals.through.objects.filter(terminal__in=pks).order_by()
    return members.values_list("terminal_id", "group__name")


WORDS: Mapping[str, Callable[[Collection[int]], Rows]] = {"tags": _tags, "groups": _groups}
"""Columns of several words."""


def _attributes(pks: Collection[int], names: Collection[str]) -> Rows:
    models = (TerminalAttribute, SiteAttribute, DeviceAttribute)
    return _of_all_subjects(models, pks, "attribute__name", "text", "number", "day", attribute__name__in=names)


def _of_all_subjects(models: tuple[Any, Any, Any], pks: Collection[int], *columns: str, **conditions: object) -> Rows:
    """Rows of the models of terminals, sites and devices, each after the terminal it is about; one statement."""
    of_terminal, of_site, of_device = (model.objects.filter(**conditions).order_by() for model in models)
    serving = {"device__placements__terminal__in": pks, "device__placements__ended_at": None}
    found: Rows = of_terminal.filter(terminal__in=pks).values_list("terminal", *columns)
    return found.union(
        of_site.filter(site__terminals__in=pks).values_list("site__terminals", *columns),
        of_device.filter(**serving).values_list("device__placements__terminal", *columns),
    )
