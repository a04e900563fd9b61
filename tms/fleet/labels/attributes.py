"""Services for attributes: their definitions, and the values of rows."""

from collections.abc import Collection, Mapping
from datetime import date
from itertools import batched
from math import isfinite
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext, pgettext

from tms.accounts.audit import recorder
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.labels.subjects import BY_MODEL, SUBJECTS, Subject
from tms.fleet.labels.tags import BATCH_ROWS, labels_changed
from tms.fleet.models import Attribute, AttributeSubject, AttributeType
from tms.fleet.models.attribute import AttributeValue
from tms.protocol.limits import METRIC_BOUND
from tms.protocol.text import clean

MAX_ATTRIBUTES = 100
"""Definitions in an installation."""
MAX_TEXT = 200
MAX_NAMED = 20


class BadValue(ValueError):
    """A value that its attribute cannot have. The message is for people, in the active language."""

    def __init__(self, attribute: Attribute, message: str) -> None:
        super().__init__(message)
        self.attribute = attribute


class TooManyAttributes(ValueError):
    """There are `MAX_ATTRIBUTES` already."""

    code = "tms:too-many-attributes"


@transaction.atomic
def save_attribute(attribute: Attribute) -> None:
    """Create or change a definition. Type and subject of a stored one stay as they are: its values have them.

    Raises ValidationError, and TooManyAttributes.
    """
    if attribute.pk:
        stored = Attribute.objects.select_for_update().get(pk=attribute.pk)
        attribute.type, attribute.subject = stored.type, stored.subject
    elif Attribute.objects.count() >= MAX_ATTRIBUTES:
        raise TooManyAttributes
    attribute.full_clean()
    with recorder.change(attribute):
        attribute.save()


@transaction.atomic
def delete_attribute(attribute: Attribute) -> None:
    """Delete the definition with the values of all rows."""
    subject = SUBJECTS[AttributeSubject(attribute.subject)]
    having = subject.values.objects.filter(attribute=attribute).values_list(subject.column, flat=True)
    rows = frozenset(having)
    recorder.record("deleted", attribute, {"rows": (len(rows), None)})
    attribute.delete()
    _changed(subject, rows)


@transaction.atomic
def set_values(
    model: type[models.Model], rows: Collection[int], values: Mapping[Attribute, str], *, is_recorded: bool = True
) -> int:
    """Set attributes of all of these rows, from text; an empty text removes the value. Returns how many rows differ.

    The caller has checked that the rows exist and that the person may change each of them. Without `is_recorded`, it
    writes its own entry of the audit trail. Raises BadValue.
    """
    subject = BY_MODEL[model]
    read = {attribute: read_value(attribute, text) if text else None for attribute, text in values.items()}
    locked = list(
        subject.rows._default_manager.select_for_update(of=("self",))
        .filter(pk__in=rows)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    changed: set[int] = set()
    for attribute, value in read.items():
        changed |= _set_one(subject, locked, attribute, value)
    if changed:
        if is_recorded:
            _record(subject, changed, read)
        _changed(subject, frozenset(changed))
    return len(changed)


def values_of(row: models.Model) -> dict[str, AttributeValue]:
    """The values of one row, by the name of the attribute."""
    subject = BY_MODEL[type(row)]
    stored = subject.values.objects.filter(**{subject.column: row.pk}).select_related("attribute")
    return {value.attribute.name: value.value for value in stored.order_by("attribute__name")}


def read_value(attribute: Attribute, text: str) -> AttributeValue:
    """The value that a text means. Raises BadValue."""
    text = clean(text).strip()
    match AttributeType(attribute.type):
        case AttributeType.TEXT if len(text) <= MAX_TEXT:
            return text
        case AttributeType.CHOICE if text in attribute.choices:
            return text
        case AttributeType.NUMBER if (number := _number(text)) is not None:
            return number
        case AttributeType.DAY if (day := _day(text)) is not None:
            return day
    raise BadValue(attribute, _complaint(attribute, text))


def _complaint(attribute: Attribute, text: str) -> str:
    shown = {"value": text[:40], "name": attribute.name, "choices": ", ".join(map(str, attribute.choices[:MAX_NAMED]))}
    match AttributeType(attribute.type):
        case AttributeType.TEXT:
            return gettext("%(name)s: at most 200 characters.") % shown
        case AttributeType.CHOICE:
            return gettext("%(name)s: “%(value)s” is none of %(choices)s.") % shown
        case AttributeType.NUMBER:
            return gettext("%(name)s: “%(value)s” is not a number.") % shown
        case AttributeType.DAY:
            return pgettext("attribute", "%(name)s: “%(value)s” is not a date such as 2026-11-01.") % shown


def written(value: AttributeValue) -> str:
    """The text that `read_value` reads as this value."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def write_values(subject: Subject, attribute: Attribute, values: Mapping[int, AttributeValue | None]) -> None:
    """Write the values of rows alone: the caller records the change, and sends `labels_changed`."""
    of_attribute = subject.values.objects.filter(attribute=attribute)
    for some in batched((pk for pk, value in values.items() if value is None), BATCH_ROWS):
        of_attribute.filter(**{f"{subject.column}__in": some}).delete()
    subject.values.objects.bulk_create(
        (
            subject.values(attribute=attribute, **{subject.column: pk}, **_columns(value))
            for pk, value in values.items()
            if value is not None
        ),
        batch_size=BATCH_ROWS,
        update_conflicts=True,
        unique_fields=(subject.name, "attribute"),
        update_fields=("text", "number", "day"),
    )


def _set_one(subject: Subject, rows: Collection[int], attribute: Attribute, value: AttributeValue | None) -> set[int]:
    stored = subject.values.objects.filter(attribute=attribute, **{f"{subject.column}__in": rows})
    if value is None:
        differing = set(stored.values_list(subject.column, flat=True))
    else:
        differing = set(rows) - set(stored.filter(**_columns(value)).values_list(subject.column, flat=True))
    write_values(subject, attribute, dict.fromkeys(sorted(differing), value))
    return differing


def _columns(value: AttributeValue) -> dict[str, Any]:
    return {
        "text": value if isinstance(value, str) else "",
        "number": value if isinstance(value, float) else None,
        "day": value if isinstance(value, date) else None,
    }


def _record(subject: Subject, rows: Collection[int], values: Mapping[Attribute, AttributeValue | None]) -> None:
    set_to = {attribute.name: (None, recorder.plain(value)) for attribute, value in values.items()}
    if len(rows) == 1:
        recorder.record("attributes-changed", subject.rows._default_manager.get(pk=next(iter(rows))), set_to)
        return
    named = list(subject.rows._default_manager.filter(pk__in=sorted(rows)[:MAX_NAMED]).order_by("pk"))
    details = {"rows": (None, len(rows)), "names": (None, [str(row) for row in named])}
    recorder.write(recorder.AuditSubject(subject.rows._meta.label_lower), "attributes-changed", {**set_to, **details})


def _changed(subject: Subject, rows: frozenset[int]) -> None:
    labels_changed.send(subject.rows, model=subject.rows, rows=rows)
    publish(Change(everything=True))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) and abs(number) <= METRIC_BOUND else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-11-01") else None
    except ValueError:
        return None
