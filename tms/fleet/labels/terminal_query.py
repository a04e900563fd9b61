"""Tags and attributes as fields of queries about terminals: `tag:lobby`, `attr.floor>2`.

Those of the terminal's site and of its device are its own, too.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import visible
from tms.fleet.labels.subjects import SUBJECTS, terminals_of
from tms.fleet.models import Attribute, AttributeSubject, AttributeType
from tms.fleet.terminal_query import MAX_VALUES, TERMINAL_FIELDS
from tms.lib.db.pattern_lookup import ANY
from tms.query.fields import Field, FieldFamily
from tms.query.tree import Operator, Value
from tms.query.value_kinds import DAY, NUMBER, TEXT, ChoiceKind, OrNone, ValueKind

PREFIX = "attr."
COLUMNS = {AttributeType.NUMBER: "number", AttributeType.DAY: "day"}


def add_fields() -> None:
    TERMINAL_FIELDS.add(
        Field("tag", _("Tag of the terminal, its site or its device"), TEXT, compare=_tagged, suggest=known_tags)
    )
    TERMINAL_FIELDS.add_family(FieldFamily(PREFIX, _("Attribute"), _field, _names))


def _tagged(operator: Operator, wanted: Value, at: datetime) -> Q:
    if not wanted.text:
        return ~_of_all(Q())
    if ANY in wanted.text and not wanted.is_quoted:
        return _of_all(TEXT.compare("name", operator, wanted, at))
    # As they are stored, for the index.
    return _of_all(Q(name=wanted.text.casefold()))


def _of_all(tags: Q) -> Q:
    return reduce(or_, (terminals_of(name, subject.tags.objects.filter(tags)) for name, subject in SUBJECTS.items()))


def known_tags(person: Any, begun: str) -> Iterable[str]:
    found: set[str] = set()
    for subject in SUBJECTS.values():
        rows = visible(subject.tags.objects.filter(name__startswith=begun.casefold()), to=person)
        found.update(rows.order_by("name").values_list("name", flat=True).distinct()[:MAX_VALUES])
    return sorted(found)[:MAX_VALUES]


def _field(name: str) -> Field | None:
    attribute = Attribute.objects.filter(name=name.casefold()).first()
    if attribute is None:
        return None
    kind = OrNone(_kind(attribute))
    subject = AttributeSubject(attribute.subject)
    values = SUBJECTS[subject].values.objects.filter(attribute=attribute)
    column = COLUMNS.get(AttributeType(attribute.type), "text")

    def compare(operator: Operator, wanted: Any, at: datetime) -> Q:
        if wanted is None:
            return ~terminals_of(subject, values)
        return terminals_of(subject, values.filter(kind.compare(column, operator, wanted, at)))

    return Field(PREFIX + attribute.name, str(attribute), kind, compare=compare)


def _kind(attribute: Attribute) -> ValueKind:
    match AttributeType(attribute.type):
        case AttributeType.NUMBER:
            return NUMBER
        case AttributeType.DAY:
            return DAY
        case AttributeType.CHOICE:
            return ChoiceKind({str(name).casefold(): (name,) for name in attribute.choices}, {})
        case AttributeType.TEXT:
            return TEXT


def _names(person: Any, begun: str) -> Iterable[str]:
    attributes = Attribute.objects.filter(name__startswith=begun.casefold()).order_by("name")
    return attributes.values_list("name", flat=True)[:MAX_VALUES]
