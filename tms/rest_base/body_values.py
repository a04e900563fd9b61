"""Values of a request for a service: the rows that it names, and what the service found wrong."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from tms.rest_base.problems import RequestFault, unreadable

MAX_NAMED = 5
"""Unknown names in an error."""


class BodyValues:
    """Finds what a body names, and collects what is wrong."""

    def __init__(self) -> None:
        self.faults: list[RequestFault] = []

    def rows[Row: Model](self, rows: QuerySet[Row], column: str, wanted: Sequence[Any], where: str) -> list[Row]:
        """The rows among `rows`, which the person sees, whose `column` is wanted."""
        found = {getattr(row, column): row for row in rows.filter(**{f"{column}__in": wanted})}
        if unknown := [str(one) for one in wanted if one not in found]:
            self.faults.append(RequestFault(where, f"unknown: {', '.join(unknown[:MAX_NAMED])}"))
        return [found[one] for one in dict.fromkeys(wanted) if one in found]

    def time(self, text: str, where: str) -> time | None:
        """None for an empty text."""
        try:
            found: time | None = forms.TimeField(required=False).clean(text)
        except ValidationError as error:
            self.faults.append(RequestFault(where, " ".join(error.messages)))
            return None
        return found

    @contextmanager
    def reported(self) -> Iterator[None]:
        """Raises ProblemError: for what is wrong in the body or, if nothing is, for what the service within refuses."""
        if self.faults:
            raise unreadable(*self.faults)
        try:
            yield
        except ValidationError as error:
            found = error.message_dict.items()
            raise unreadable(*(RequestFault(f"$.{field}", " ".join(messages)) for field, messages in found)) from None
