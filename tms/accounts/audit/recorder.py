"""Writes the audit trail: who did what, when, from where and why.

Services and forms call `change` or `record` in the transaction of the change, so that neither is committed without the
other. `AuditMiddleware` provides the current request; without one the change came from a command, or from the clock.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time
from functools import cache
from ipaddress import ip_address
from typing import Any, NamedTuple

from django.db import models, transaction
from django.http import HttpRequest, HttpResponseBase

from tms.accounts.models import ApiToken, User
from tms.accounts.models.audit_entry import AuditEntry, Via
from tms.lib.db import prepared
from tms.protocol.text import clean, storable

SECRET_FIELDS = frozenset({"password", "password1", "password2", "encrypted_secrets", "digest"})
MASKED = "•••"
UNTRACKED = frozenset(
    {"failures", "last_login", "used_at", "version", "revision", "changed_at", "changed_by", "arguments_text"}
    | {"enabled_at", "inactivity_noticed_at", "evaluated_at"}
    | {"agreed", "agreed_terminals", "is_outgrown"}
    | {"successor", "predecessor", "issued_at", "rotated_at", "seen_at"}
)
"""Columns that TMS itself writes, beside what people set."""
MAX_TEXT = 500
MAX_ROWS = 100

_request: ContextVar[HttpRequest | None] = ContextVar("audited_request", default=None)
_acting: ContextVar[tuple[Via, str] | None] = ContextVar("audited_actor", default=None)


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


class Approval(NamedTuple):
    """A change that one person requested and another approved."""

    requester: User
    approved_by: User


_approval: ContextVar[Approval | None] = ContextVar("approval", default=None)


@contextmanager
def on_behalf_of(requester: User, *, approved_by: User) -> Iterator[None]:
    """Changes within are recorded as those of `requester`, with the person who approved them."""
    token = _approval.set(Approval(requester, approved_by))
    try:
        yield
    finally:
        _approval.reset(token)


class LinkUse(NamedTuple):
    """A person, or the account of a shared destination, acts by a link that TMS had sent to a destination."""

    person: User
    destination: str


_link: ContextVar[LinkUse | None] = ContextVar("link_use", default=None)


@contextmanager
def by_link(person: User, *, destination: str) -> Iterator[None]:
    """Changes within are recorded as those of `person`, with the destination whose message had the link."""
    token = _link.set(LinkUse(person, destination))
    try:
        yield
    finally:
        _link.reset(token)


class ChangeOrigin(NamedTuple):
    """Who makes a change, and from where."""

    actor: User | None = None
    via: Via = Via.COMMAND
    token: ApiToken | None = None
    address: str | None = None
    name: str = ""
    """The name of an actor who is not a person: the UID of a terminal."""

    @property
    def actor_name(self) -> str:
        return self.actor.username if self.actor else self.name


@contextmanager
def acting(via: Via, name: str = "") -> Iterator[None]:
    """What happens within is done by TMS itself or by a terminal, and not by a person."""
    token = _acting.set((via, name))
    try:
        yield
    finally:
        _acting.reset(token)


_continued: ContextVar[ChangeOrigin | None] = ContextVar("continued_origin", default=None)


@contextmanager
def continuing(started: ChangeOrigin) -> Iterator[None]:
    """What happens within was started earlier, by a person on a page, and is done by TMS now."""
    token = _continued.set(started)
    try:
        yield
    finally:
        _continued.reset(token)


def origin() -> ChangeOrigin:
    """The origin of the current change."""
    if continued := _continued.get():
        return continued
    request, acting = _request.get(), _acting.get()
    address = address_of(request) if request else None
    if acting is not None:
        via, name = acting
        return ChangeOrigin(None, via, None, address, name)
    if approval := _approval.get():
        return ChangeOrigin(approval.requester, Via.PAGE, None, address)
    if link := _link.get():
        return ChangeOrigin(link.person, Via.LINK, None, address)
    if request is None:
        return ChangeOrigin()
    token: ApiToken | None = getattr(request, "token", None)
    if token is not None:
        return ChangeOrigin(token.person, Via.API, token, address)
    user = getattr(request, "user", None)
    return ChangeOrigin(user if isinstance(user, User) and user.pk else None, Via.PAGE, None, address)


def address_of(request: HttpRequest) -> str | None:
    """REMOTE_ADDR, which a trusted proxy has set; None if it is no address."""
    try:
        return str(ip_address(request.META.get("REMOTE_ADDR", "").partition("%")[0]))
    except ValueError:
        return None


def record(action: str, row: models.Model, changes: Mapping[str, Any] | None = None, *, comment: str = "") -> None:
    """Write one entry about `row`. Call it in the transaction of the change. `changes`: field → (before, after)."""
    write(AuditSubject(row._meta.label_lower, str(row.pk), str(row)), action, changes, comment=comment)


def record_export(model: type[models.Model], form: str, query: str = "", *, rows: int | None = None) -> None:
    """Write an entry about an export of rows of `model`. `query`: its filters, as in the URL."""
    changes = {"format": form, "filter": plain(query), "rows": rows}
    given = {name: (None, value) for name, value in changes.items() if value not in ("", None)}
    write(AuditSubject(model._meta.label_lower), "exported", given)


class AuditSubject(NamedTuple):
    """What an entry is about: one row, or several of a kind."""

    kind: str
    """The label of a model."""
    id: str = ""
    name: str = ""


def write(subject: AuditSubject, action: str, changes: Mapping[str, Any] | None = None, *, comment: str = "") -> None:
    """Write one entry. Call it in the transaction of what it is about.

    One prepared statement: with a model instance, the entry would cost a tenth of an acknowledgement.
    """
    by = origin()
    if approval := _approval.get():
        changes = {**(changes or {}), "approved_by": (None, approval.approved_by.username)}
    if link := _link.get():
        changes = {**(changes or {}), "destination": (None, link.destination)}
    values = {
        "actor_id": by.actor.pk if by.actor else None,
        "actor_name": clean(by.actor_name),
        "via": by.via.value,
        "token_id": by.token.pk if by.token else None,
        "token_name": clean(by.token.name) if by.token else "",
        "address": by.address,
        "action": action,
        "subject_type": subject.kind,
        "subject_id": subject.id[:64],
        "subject_name": clean(subject.name)[:200],
        "changes": json.dumps({name: list(pair) for name, pair in (changes or {}).items()}),
        "comment": clean(comment, keeps_lines=True)[:MAX_TEXT],
    }
    prepared.run(_insert(tuple(values)), list(values.values()))


@cache
def _insert(columns: tuple[str, ...]) -> str:
    names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {AuditEntry._meta.db_table} ({names}) VALUES ({marks})"


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


def record_edit(before: models.Model | None, after: models.Model, action: str = "") -> None:
    """Record the differences between a row as it was stored and as it was saved, without reading it again.

    For rows without related rows. `action` is `created` or `changed` by default.
    """
    differing = dict(_differences(before, after))
    if differing or action:
        record(action or ("changed" if before else "created"), after, masked(differing))


def _differences(before: models.Model | None, after: models.Model) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for field in after._meta.concrete_fields:
        if field.primary_key or field.name in UNTRACKED:
            continue
        old = getattr(before, field.attname) if before else None
        if old != field.to_python(getattr(after, field.attname)):
            yield field.name, (plain(getattr(before, field.name, None)), plain(getattr(after, field.name)))


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
    many = [field.name for field in row._meta.many_to_many if field.name not in UNTRACKED]
    return one | {name: _names(getattr(row, name).all()) for name in many}


def _names(rows: models.QuerySet[Any]) -> list[str]:
    return sorted(str(row) for row in rows[:MAX_ROWS])


def _children(row: models.Model, relation: str) -> list[dict[str, Any]]:
    """Rows that belong to `row` alone."""
    manager = getattr(row, relation)
    return [_values(child, besides=manager.field.name) for child in manager.all()[:MAX_ROWS]]


def plain(value: Any) -> Any:
    """The value for JSON, shortened and without what no database stores; rows by name."""
    if isinstance(value, models.QuerySet):
        return _names(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, str):
        return storable(value[:MAX_TEXT])
    if isinstance(value, list | tuple):
        return [plain(each) for each in value[:MAX_ROWS]]
    return value if isinstance(value, bool | int | float | dict | None) else str(value)[:MAX_TEXT]


def masked(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (before and MASKED, after and MASKED) if name in SECRET_FIELDS else (before, after)
        for name, (before, after) in changes.items()
    }
