"""Validates destinations and policies with the forms of the pages, so that pages and REST have the same rules."""

from collections.abc import Iterator, Mapping

from django.db.models import Model, QuerySet
from django.forms import BaseForm

from tms.rest.problems import RequestFault, unreadable


def faults(form: BaseForm, *, at: str = "$", names: Mapping[str, str] | None = None) -> Iterator[RequestFault]:
    """`names`: fields of the form that have another name in REST."""
    for field, messages in form.errors.items():
        name = (names or {}).get(field, field)
        yield RequestFault(at if field == "__all__" else f"{at}.{name}", " ".join(map(str, messages)))


def numbers[Row: Model](rows: QuerySet[Row], name: str, wanted: list[str], where: str) -> list[int]:
    """The primary keys of the rows with these names. Raises ProblemError."""
    found = dict(rows.filter(**{f"{name}__in": wanted}).values_list(name, "pk"))
    if unknown := [one for one in wanted if one not in found]:
        raise unreadable(RequestFault(where, f"unknown: {', '.join(unknown[:5])}"))
    return [found[one] for one in wanted]
