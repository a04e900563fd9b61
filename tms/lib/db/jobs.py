"""Passes of the clock that mostly find nothing to do."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps

from django.db.models import Model, QuerySet

type Pass = Callable[[datetime], int]


def skip_when_empty[M: Model](rows: Callable[[datetime], QuerySet[M]]) -> Callable[[Pass], Pass]:
    """Run a pass only if there are `rows`; otherwise it costs one query and no transaction."""

    def only_then(work: Pass) -> Pass:
        @wraps(work)
        def checked(at: datetime) -> int:
            return work(at) if rows(at).exists() else 0

        return checked

    return only_then
