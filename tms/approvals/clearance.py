"""Asks for a second person where an act takes effect, whatever page, operation, file or schedule it came from.

A caller proposes the act (`gate.py`), has it approved or confirmed (`services.py`), and calls the service that carries
it out. The service demands what the caller should have asked: one that did not ask changes nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple, Protocol, runtime_checkable

import msgspec
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext

from tms.accounts.models import User
from tms.approvals.acts import Act
from tms.approvals.kinds import ApprovalKind, Payload, kind_named

GROWTH = 1.5
"""How many times as many terminals an agreement covers: those that it was given for, and what joins them."""


@runtime_checkable
class ListsTerminals(Protocol):
    """A payload that lists primary keys of terminals."""

    @property
    def terminals(self) -> Sequence[int]: ...


class NotAgreed(PermissionDenied):
    """The act is above its threshold, and nobody agreed to it as it is now."""

    code = "tms:approval-needed"

    def __init__(self) -> None:
        super().__init__(gettext("A second person must agree to this as it is now. Ask again."))


class Clearance(NamedTuple):
    """What was approved by a second person, or confirmed where there was none."""

    kind: ApprovalKind[Any, Any]
    payload: Payload


_given: ContextVar[tuple[Clearance, ...]] = ContextVar("clearances", default=())


@contextmanager
def cleared(kind: ApprovalKind[Any, Any], payload: Payload) -> Iterator[None]:
    """The act takes effect inside of it."""
    token = _given.set((*_given.get(), Clearance(kind, payload)))
    try:
        yield
    finally:
        _given.reset(token)


def current() -> tuple[Clearance, ...]:
    return _given.get()


def agreed(act: Act, **values: Any) -> AbstractContextManager[None]:
    """What was agreed to before takes effect inside of it, such as when the clock goes on with it."""
    kind = kind_named(act)
    return cleared(kind, msgspec.convert(values, kind.payload))


def demand(act: Act, *, by: User | None, at: datetime, **values: Any) -> None:
    """Raises NotAgreed if an act with this payload is large, and is not part of what was agreed to.

    Nobody is asked for what TMS or a command line does (`by` is None).
    """
    if by is None:
        return
    kind = kind_named(act)
    payload = msgspec.convert(values, kind.payload)
    if any(given.kind.includes(given.payload, act, payload) for given in _given.get()):
        return
    impact = SimpleLazyObject(lambda: kind.impact_of(payload, by=by, at=at))  # most kinds only count
    if kind.is_large(payload, impact):
        raise NotAgreed


def agreed_terminals(act: Act) -> int | None:
    """The number of terminals that the act was agreed to for; None if nobody was asked."""
    found = (given.payload for given in reversed(_given.get()) if given.kind.name is act)
    return next((len(payload.terminals) for payload in found if isinstance(payload, ListsTerminals)), None)


def has_outgrown(number: int, agreed: int) -> bool:
    """Whether an act for `number` terminals is large, and nobody agreed to so many.

    A query may select some more by the time of the act than when it was agreed to.
    """
    threshold = settings.APPROVAL_TERMINALS
    return 0 < threshold < number and (agreed <= threshold or number > GROWTH * agreed)
