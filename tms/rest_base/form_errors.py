"""Errors of the form of a page, which one operation still uses, and primary keys by name."""

from collections.abc import Iterator

from django.db.models import Model, QuerySet
from django.forms import BaseForm

from tms.rest_base.problems import RequestFault, unreadable


def faults(form: BaseForm) -> Iterator[RequestFault]:
    for field, messages in form.errors.items():
        yield RequestFault("$" if field == "__all__" else f"$.{field}", " ".join(map(str, messages)))


def numbers[Row: Model](rows: QuerySet[Row], name: str, wanted: list[str], where: str) -> list[int]:
    """The primary keys of the rows with these names. Raises ProblemError."""
    found = dict(rows.filter(**{f"{name}__in": wanted}).values_list(name, "pk"))
    if unknown := [one for one in wanted if one not in found]:
        raise unreadable(RequestFault(where, f"unknown: {', '.join(unknown[:5])}"))
    return [found[one] for one in wanted]
