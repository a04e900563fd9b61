"""The row that a request is about: among those that its person sees, and with the permission to change it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet
from django.http import Http404

from tms.accounts.access import demand, visible
from tms.accounts.permissions import Permission
from tms.rest_base.operation import ApiRequest
from tms.rest_base.problems import ProblemError, RequestFault, unreadable


def find[Row: Model](request: ApiRequest, rows: QuerySet[Row], **named: Any) -> Row:
    """Raises Http404, also for a row that the person does not see."""
    row = visible(rows.filter(**named), to=request.person).first()
    if row is None:
        raise Http404
    return row


def find_permitted[Row: Model](request: ApiRequest, rows: QuerySet[Row], permission: Permission, **named: Any) -> Row:
    """The same, if the person has the permission for the row, else Forbidden."""
    row = find(request, rows, **named)
    demand(request.person, permission, row)
    return row


def find_to_change[Row: Model](request: ApiRequest, rows: QuerySet[Row], permission: Permission, **named: Any) -> Row:
    """The same, locked, so that a version that is compared now is still the stored one when it is changed.

    Call it in a transaction, and not for a row that a service locks after link states: ingest locks these first.
    """
    return find_permitted(request, rows.select_for_update(of=("self",), no_key=True), permission, **named)


def named_in_body[Row: Model](request: ApiRequest, rows: QuerySet[Row], where: str, **named: Any) -> Row:
    """A row that a field of the body names. Raises ProblemError, also for a row that the person does not see."""
    row = visible(rows.filter(**named), to=request.person).first()
    if row is None:
        raise unreadable(RequestFault(where, f"unknown: {', '.join(map(str, named.values()))}"))
    return row


@contextmanager
def unique(where: str, value: str) -> Iterator[None]:
    """What is done within fails with 409 if another row has the `value` of the field at `where`."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        fault = RequestFault(where, f"{value} exists already; choose another one, or change that row")
        raise ProblemError(409, "tms:exists", fault.detail, faults=[fault]) from None
