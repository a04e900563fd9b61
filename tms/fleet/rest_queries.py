"""Queries of REST operations: the text of `?q=`."""

from django.db.models import Q
from django.utils import timezone

from tms.query.errors import QueryError
from tms.query.fields import FieldSet
from tms.query.query import Query
from tms.rest_base.problems import RequestFault, unreadable


def condition_of(text: str, fields: FieldSet) -> Q:
    """Raises ProblemError."""
    try:
        return Query.of(text, fields).where(timezone.now())
    except QueryError as error:
        raise unreadable(RequestFault("?q", str(error))) from None
