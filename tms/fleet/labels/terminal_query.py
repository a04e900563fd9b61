"""Tags and attributes as fields of queries: `tag:lobby`, `attr.floor>2`.

Those of a terminal's site and of its device are its own, too; sites and devices have their own only.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial, reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import visible
from tms.fleet.device_query import DEVICE_FIELDS
from tms.fleet.labels.subjects import SUBJECTS, terminals_of
from tms.fleet.models import Attribute, AttributeSubject, AttributeType
from tms.fleet.site_query import SITE_FIELDS
from tms.fleet.suggested_values import MAX_VALUES
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.lib.db.pattern_lookup import ANY
from tms.query.fields import Field, FieldFamily, FieldSet
from tms.query.tree import Operator, Value
from tms.query.value_kinds import DAY, NUMBER, TEXT, ChoiceKind, OrNone, ValueKind

PREFIX = "attr."
COLUMNS = {AttributeType.NUMBER: "number", AttributeType.DAY: "day"}


def add_fields() -> None:
    tag = _("Tag of the terminal, its site or its device")
    TERMINAL_FIELDS.add(Field("tag", tag, TEXT, compare=partial(_tagged, _of_all), suggest=known_tags))
    of_all = partial(_field, AttributeSubject, terminals_of)
    TERMINAL_FIELDS.add_family(FieldFamily(PREFIX, _("Attribute"), of_all, _names))
    _add_own(SITE_FIELDS, AttributeSubject.SITE)
    _add_own(DEVICE_FIELDS, AttributeSubject.DEVICE)


def _add_own(fields: FieldSet, subject: AttributeSubject) -> None:
    """Fields of rows that have no tags and attributes but their own."""
    own = partial(known_tags, subjects=(subject,))
    fields.add(Field("tag", _("Tag"), TEXT, compare=partial(_tagged, partial(_own, subject)), suggest=own))
    attribute = partial(_field, (subject,), _rows_of)
    fields.add_family(FieldFamily(PREFIX, _("Attribute"), attribute, partial(_names, subjects=(subject,))))


def _tagged(rows: Callable[[Q], Q], operator: Operator, wanted: Value, at: datetime) -> Q:
    """`rows`: the condition on the listed rows that have one of some tags."""
    if not wanted.text:
        return ~rows(Q())
    if ANY in wanted.text and not wanted.is_quoted:
        return rows(TEXT.compare("name", operator, wanted, at))
    # As they are stored, for the index.
    return rows(Q(name=wanted.text.casefold()))


def _own(subject: AttributeSubject, tags: Q) -> Q:
    return _rows_of(subject, SUBJECTS[subject].tags.objects.filter(tags))


def _rows_of(subject: AttributeSubject, rows: QuerySet[Any]) -> Q:
    return Q(pk__in=rows.values(SUBJECTS[subject].name))


def _of_all(tags: Q) -> Q:
    return reduce(or_, (terminals_of(name, subject.tags.objects.filter(tags)) for name, subject in SUBJECTS.items()))


def known_tags(
    person: Any, begun: str, *, subjects: Iterable[AttributeSubject] = tuple(AttributeSubject)
) -> Iterable[str]:
    found: set[str] = set()
    for subject in subjects:
        rows = visible(SUBJECTS[subject].tags.objects.filter(name__startswith=begun.casefold()), to=person)
        found.update(rows.order_by("name").values_list("name", flat=True).distinct()[:MAX_VALUES])
    return sorted(found)[:MAX_VALUES]


def _field(
    subjects: Iterable[AttributeSubject], rows: Callable[[AttributeSubject, QuerySet[Any]], Q], name: str
) -> Field | None:
    attribute = Attribute.objects.filter(name=name.casefold(), subject__in=list(subjects)).first()
    if attribute is None:
        return None
    kind = OrNone(_kind(attribute))
    subject = AttributeSubject(attribute.subject)
    values = SUBJECTS[subject].values.objects.filter(attribute=attribute)
    column = COLUMNS.get(AttributeType(attribute.type), "text")

    def compare(operator: Operator, wanted: Any, at: datetime) -> Q:
        if wanted is None:
            return ~rows(subject, values)
        return rows(subject, values.filter(kind.compare(column, operator, wanted, at)))

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


def _names(person: Any, begun: str, *, subjects: Iterable[AttributeSubject] = tuple(AttributeSubject)) -> Iterable[str]:
    attributes = Attribute.objects.filter(subject__in=list(subjects), name__startswith=begun.casefold())
    return attributes.order_by("name").values_list("name", flat=True)[:MAX_VALUES]
