"""Services for tags. They put tags on one row or on many, in one transaction and with one entry of the audit trail."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.dispatch import Signal

from tms.accounts.audit import recorder
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.labels.subjects import BY_MODEL, SUBJECTS, Subject
from tms.fleet.models import Placement, Terminal, TerminalTag
from tms.fleet.models.tag import check_tag

labels_changed = Signal()
"""Sent in the transaction with `model` and `rows`, the primary keys of the rows whose tags or attributes changed."""
MAX_TAGS = 50
"""Tags of one row."""
BATCH_ROWS = 2_000
MAX_NAMED = 20


class TooManyTags(ValueError):
    """A row would have more than `MAX_TAGS`."""


@dataclass(frozen=True, slots=True)
class TagChange:
    """Which rows got a tag that they did not have, and which lost one."""

    added: dict[str, list[int]]
    removed: dict[str, list[int]]

    @property
    def rows(self) -> frozenset[int]:
        return frozenset(pk for pks in (*self.added.values(), *self.removed.values()) for pk in pks)


def normalized(names: Iterable[str]) -> tuple[str, ...]:
    """The tags as they are stored, each once. Raises ValidationError for what is no tag."""
    found = tuple(dict.fromkeys(name.strip().casefold() for name in names))
    for name in found:
        check_tag(name)
    return found


@transaction.atomic
def change_tags(
    model: type[models.Model],
    rows: Collection[int],
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    is_recorded: bool = True,
) -> TagChange:
    """Add tags to all of these rows of a model, and remove others. Repeating it changes nothing.

    The caller has checked that the rows exist and that the person may change each of them. Without `is_recorded`, it
    writes its own entry of the audit trail. Raises ValidationError for a name that is no tag, and TooManyTags.
    """
    subject = BY_MODEL[model]
    adding, removing = normalized(add), normalized(remove)
    locked = list(_locked(subject, rows))
    change = TagChange(
        {name: _missing(subject, locked, name) for name in adding if name not in removing},
        {name: _having(subject, locked, name) for name in removing if name not in adding},
    )
    write_tags(subject, change)
    if change.rows:
        if is_recorded:
            _record(subject, change)
        labels_changed.send(model, model=model, rows=change.rows)
        publish(Change(everything=True))
    return change


@transaction.atomic
def rename_everywhere(name: str, to: str) -> dict[str, int]:
    """Give the rows of all subjects another tag instead. Rows that have both keep the other.

    Returns how many rows had it, by the name of the subject. The caller has checked that the person may change each
    row. Raises ValidationError for what is no tag.
    """
    (new,) = normalized([to])
    numbers = {}
    for subject, pks in _tagged(name):
        for some in _batches(pks):
            mine = subject.tags.objects.filter(**{f"{subject.column}__in": some})
            both = mine.filter(name=new).values(subject.column)
            mine.filter(name=name).exclude(**{f"{subject.column}__in": both}).update(name=new)
            mine.filter(name=name).delete()
        numbers[subject.name] = len(pks)
        _announce(subject, pks)
    recorder.write(_all_tags(name), "tag-renamed", {"tag": (name, new), **_counts(numbers)})
    return numbers


@transaction.atomic
def delete_everywhere(name: str) -> dict[str, int]:
    """Remove the tag from the rows of all subjects. The same as `rename_everywhere` otherwise."""
    numbers = {}
    for subject, pks in _tagged(name):
        subject.tags.objects.filter(name=name).delete()
        numbers[subject.name] = len(pks)
        _announce(subject, pks)
    recorder.write(_all_tags(name), "tag-deleted", _counts(numbers))
    return numbers


def _tagged(name: str) -> Iterable[tuple[Subject, list[int]]]:
    for subject in SUBJECTS.values():
        found = subject.tags.objects.filter(name=name).values_list(subject.column, flat=True)
        if pks := list(_locked(subject, found)):
            yield subject, pks


def _announce(subject: Subject, pks: Collection[int]) -> None:
    for some in _batches(pks):
        labels_changed.send(subject.rows, model=subject.rows, rows=frozenset(some))
    publish(Change(everything=True))


def _all_tags(name: str) -> recorder.AuditSubject:
    return recorder.AuditSubject(TerminalTag._meta.label_lower, name=name)


def _counts(numbers: dict[str, int]) -> dict[str, Any]:
    return {f"{subject}s": (number, None) for subject, number in numbers.items()}


def write_tags(subject: Subject, change: TagChange) -> None:
    """Write the rows alone: the caller records the change, and sends `labels_changed`. Raises TooManyTags."""
    for name, pks in change.removed.items():
        for some in _batches(pks):
            subject.tags.objects.filter(name=name, **{f"{subject.column}__in": some}).delete()
    subject.tags.objects.bulk_create(
        (subject.tags(name=name, **{subject.column: pk}) for name, pks in change.added.items() for pk in pks),
        batch_size=BATCH_ROWS,
    )
    _check_number(subject, change)


def tags_of(row: models.Model) -> list[str]:
    subject = BY_MODEL[type(row)]
    names = subject.tags.objects.filter(**{subject.column: row.pk}).order_by("name")
    return list(names.values_list("name", flat=True))


def all_tags_of(terminal: Terminal) -> tuple[str, ...]:
    """Its own and those of its site and its device, which queries take for its own, too."""
    placed = Placement.objects.open().filter(terminal=terminal).values("device")
    own, site, device = (subject.tags.objects.order_by().values_list("name") for subject in SUBJECTS.values())
    found = own.filter(terminal=terminal).union(site.filter(site=terminal.site_id), device.filter(device__in=placed))
    return tuple(sorted(name for (name,) in found))


def _locked(subject: Subject, rows: Collection[int]) -> Iterable[int]:
    """Lock the rows, so that two people who tag the same rows wait for each other."""
    for some in _batches(sorted(rows)):
        locked = subject.rows._default_manager.select_for_update(of=("self",)).filter(pk__in=some).order_by("pk")
        yield from locked.values_list("pk", flat=True)


def _having(subject: Subject, rows: Collection[int], name: str) -> list[int]:
    found: set[int] = set()
    for some in _batches(rows):
        tagged = subject.tags.objects.filter(name=name, **{f"{subject.column}__in": some})
        found.update(tagged.values_list(subject.column, flat=True))
    return sorted(found)


def _missing(subject: Subject, rows: Collection[int], name: str) -> list[int]:
    having = set(_having(subject, rows, name))
    return [pk for pk in rows if pk not in having]


def _check_number(subject: Subject, change: TagChange) -> None:
    added = frozenset(pk for pks in change.added.values() for pk in pks)
    for some in _batches(sorted(added)):
        numbers = subject.tags.objects.filter(**{f"{subject.column}__in": some}).values(subject.column)
        if numbers.annotate(number=models.Count("pk")).filter(number__gt=MAX_TAGS).exists():
            raise TooManyTags(f"a row would have more than {MAX_TAGS} tags")


def _record(subject: Subject, change: TagChange) -> None:
    """One entry, however many rows: with their number, and the names of the first."""
    named = sorted(change.rows)[:MAX_NAMED]
    rows = list(subject.rows._default_manager.filter(pk__in=named).order_by("pk"))
    numbers: dict[str, Any] = {f"+{name}": (None, len(pks)) for name, pks in change.added.items() if pks}
    numbers |= {f"-{name}": (len(pks), None) for name, pks in change.removed.items() if pks}
    if len(change.rows) == 1:
        recorder.record("tags-changed", rows[0], numbers)
        return
    about = recorder.AuditSubject(subject.rows._meta.label_lower)
    details: dict[str, Any] = {"rows": (None, len(change.rows)), "names": (None, [str(row) for row in rows])}
    recorder.write(about, "tags-changed", {**numbers, **details})


def _batches(pks: Collection[int]) -> Iterable[list[int]]:
    ordered = list(pks)
    return (ordered[at : at + BATCH_ROWS] for at in range(0, len(ordered), BATCH_ROWS))
