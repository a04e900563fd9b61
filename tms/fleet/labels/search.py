"""The search for terminals by a tag, or by the text of an attribute."""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, Q, QuerySet

from tms.fleet.labels.subjects import SUBJECTS, terminals_of
from tms.fleet.models import Attribute, AttributeSubject


def labelled(word: str) -> Q | None:
    """The terminals that have this tag or this text themselves, or by their site or device; None if nothing has it.

    Most words are no label, which one query finds out. They must not cost the indexes of the search: with a subquery
    beside them, PostgreSQL reads all terminals.
    """
    labels = list(_labels(word))
    # Any table that always has a row.
    one = ContentType.objects.order_by("pk").values_list(*(Exists(rows) for _subject, rows in labels))
    known = [terminals_of(subject, rows) for (subject, rows), exists in zip(labels, one[0], strict=True) if exists]
    return reduce(or_, known) if known else None


def _labels(word: str) -> Iterator[tuple[AttributeSubject, QuerySet[Any]]]:
    for name, subject in SUBJECTS.items():
        yield name, subject.tags.objects.filter(name=word.casefold())
        # By the attributes of the subject, because the index begins with the attribute.
        attributes = Attribute.objects.filter(subject=name).values("pk")
        yield name, subject.values.objects.filter(attribute__in=attributes, text=word)
