"""The audit trail: who changed the configuration, when, from where and how.

Services and forms call `change` or `record` in the transaction of the change, so that neither is committed without the
other. `AuditMiddleware` provides the current request; without one the change came from a command.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time
from typing import Any, NamedTuple

from django.db import models, transaction
from django.http import HttpRequest, HttpResponseBase

from tms.accounts.models import ApiToken, User
from tms.accounts.models.audit_entry import AuditEntry, Via

SECRET_FIELDS = frozenset({"password", "password1", "password2", "encrypted_secrets", "digest"})
MASKED = "•••"
UNTRACKED = frozenset({"failures", "last_login", "used_at", "version", "revision", "changed_at", "changed_by"})
"""Columns that TMS itself writes, beside what people set."""
MAX_TEXT = 500
MAX_ROWS = 100

_request: ContextVar[HttpRequest | None] = ContextVar("audited_request", default=None)


class AuditMiddleware:
    """Lets `record` know which request a change belongs to."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)


class ChangeOrigin(NamedTuple):
    """Who makes a change, and from where."""

    actor: User | None = None
    via: Via = Via.COMMAND
    token: ApiToken | None = None
    address: str | None = None


def origin() -> ChangeOrigin:
    """The origin of the current change."""
    request = _request.get()
    if request is None:
        return ChangeOrigin()
    address = request.META.get("REMOTE_ADDR") or None
    token: ApiToken | None = getattr(request, "token", None)
    if token is not None:
        return ChangeOrigin(token.person, Via.API, token, address)
    user = getattr(request, "user", None)
    return ChangeOrigin(user if isinstance(user, User) and user.pk else None, Via.PAGE, None, address)


def record(action: str, row: models.Model, changes: Mapping[str, Any] | None = None) -> None:
    """Write one entry about `row`. Call it in the transaction of the change. `changes`: field → (before, after)."""
    actor, via, token, address = origin()
    AuditEntry.objects.create(
        actor=actor,
        actor_name=actor.username if actor else "",
        via=via,
        token=token,
        address=address,
        action=action,
        subject_type=row._meta.label_lower,
        subject_id=str(row.pk),
        subject_name=str(row)[:200],
        changes={name: list(pair) for name, pair in (changes or {}).items()},
    )


@contextmanager
def change[Row: models.Model](row: Row, action: str = "") -> Iterator[Row]:
    """A transaction that creates or changes `row`, and ends by recording the differences.

    `action` is `created` or `changed` by default. Related rows are included if the model names them in
    `audited_relations`.
    """
    with transaction.atomic():
        before = _snapshot(row)
        yield row
        after = _snapshot(row)
        differing = {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}
        if differing or action:
            record(action or ("changed" if before else "created"), row, masked(differing))


def _snapshot(row: models.Model) -> dict[str, Any]:
    """The stored values of the row; empty if it is not stored."""
    stored = type(row)._base_manager.filter(pk=row.pk).first() if row.pk else None
    if stored is None:
        return {}
    return _values(stored) | {name: _children(stored, name) for name in getattr(row, "audited_relations", ())}


def _values(row: models.Model, *, besides: str = "") -> dict[str, Any]:
    """Field → value, related rows by name. Omits `besides`."""
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    one = {field.name: plain(getattr(row, field.name)) for field in fields if field.name not in UNTRACKED | {besides}}
    return one | {field.name: _names(getattr(row, field.name).all()) for field in row._meta.many_to_many}


def _names(rows: models.QuerySet[Any]) -> list[str]:
    return sorted(str(row) for row in rows[:MAX_ROWS])


def _children(row: models.Model, relation: str) -> list[dict[str, Any]]:
    """Rows that belong to `row` alone."""
    manager = getattr(row, relation)
    return [_values(child, besides=manager.field.name) for child in manager.all()[:MAX_ROWS]]


def plain(value: Any) -> Any:
    """The value for JSON, shortened; rows by name."""
    if isinstance(value, models.QuerySet):
        return _names(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, list | tuple):
        return [plain(each) for each in value[:MAX_ROWS]]
    return value if isinstance(value, bool | int | float | dict | None) else str(value)[:MAX_TEXT]


def masked(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (before and MASKED, after and MASKED) if name in SECRET_FIELDS else (before, after)
        for name, (before, after) in changes.items()
    }
