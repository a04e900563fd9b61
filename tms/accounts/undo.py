"""Undo: an app that changes something registers how to reverse it; the person who did it gets a signed token."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, time
from typing import Any

from django.core import serializers, signing
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.functional import Promise

from tms.accounts.models import User
from tms.lib.per_process import DeferredModules

LASTS_S = 300
MAX_ROWS = 1_000
"""A token travels through the browser: changes of more rows offer no undo."""
MAX_TOKEN_CHARACTERS = 100_000
"""Characters. Servers and proxies limit the size of a form."""

type Payload = dict[str, Any]
type Undo = Callable[..., bool]
"""`(payload, *, by, at)`, which checks permissions. False if nothing was reversed, because it changed meanwhile."""

TOGETHER = "together"

MODULES = DeferredModules()
"""An app adds those of its modules that call `register`."""

type UndoneText = str | Promise
"""What was reversed: `Acknowledgement undone`."""

_undos: dict[str, tuple[Undo, UndoneText | Mapping[str, UndoneText]]] = {}


class TooLate(Exception):
    """The token expired, was altered, belongs to another person, or is of a release with other undos."""


def register(kind: str, undo: Undo, text: UndoneText | Mapping[str, UndoneText]) -> None:
    """Call it once, in one of `MODULES`. `text`: for all, or by the `action` of the payload."""
    _undos[kind] = undo, text


def offer(kind: str, payload: Payload, *, by: User) -> str:
    """The token with which `by` may reverse a change; empty if it would be too long. `payload` is JSON."""
    token = signing.dumps([kind, by.pk, payload], salt=__name__, compress=True)
    return token if len(token) <= MAX_TOKEN_CHARACTERS else ""


def together(*tokens: str, by: User) -> str:
    """One token for several; empty ones have nothing to reverse."""
    given = [token for token in tokens if token]
    return offer(TOGETHER, {"tokens": given}, by=by) if len(given) > 1 else next(iter(given), "")


def undo(token: str, *, by: User, at: datetime) -> str:
    """What was reversed; empty if nothing was. Raises TooLate."""
    try:
        kind, person, payload = signing.loads(token, salt=__name__, max_age=LASTS_S)
    except signing.BadSignature as fault:
        raise TooLate from fault
    MODULES.load()
    if person != by.pk or kind not in {TOGETHER, *_undos}:
        raise TooLate
    if kind == TOGETHER:
        texts = [undo(each, by=by, at=at) for each in payload["tokens"]]
        return next(filter(None, texts), "")
    reverse, text = _undos[kind]
    if not reverse(payload, by=by, at=at):
        return ""
    return str(text[payload["action"]] if isinstance(text, Mapping) else text)


class PreciseEncoder(DjangoJSONEncoder):
    """Instants with their microseconds, which Django's own encoder cuts off."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime | time) else super().default(o)


def serialize(rows: Iterable[models.Model]) -> str:
    """Deleted rows for a payload. `serializers.deserialize("json", …)` makes equal rows of them."""
    text: str = serializers.serialize("json", rows, cls=PreciseEncoder)
    return text
