"""The kinds of actions that may need a second person. Each app registers its own, in the modules that it names."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

import msgspec

from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.approvals.acts import Act
from tms.approvals.models import ApprovalRequest
from tms.lib.per_process import DeferredModules


class CannotPerform(Exception):
    """The approved action is not possible any more; the message says why, in the active language."""


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The action, as it is stored. Contains keys and values, never code or markup."""


class ApprovalKind[P: Payload, I](ABC):
    """One kind of action. `payload` and `impact` are the types of what is stored."""

    name: ClassVar[Act]
    permission: ClassVar[Permission]
    payload: ClassVar[type[Payload]]
    impact: ClassVar[type[Any]]

    @abstractmethod
    def impact_of(self, payload: P, *, by: User, at: datetime) -> I:
        """What it means now, as far as `by` may see."""

    @abstractmethod
    def is_large(self, payload: P, impact: I) -> bool:
        """Whether it is above its threshold."""

    @abstractmethod
    def is_permitted(self, payload: P, person: User) -> bool:
        """Whether the person has the permission for everything that it concerns."""

    @abstractmethod
    def is_within(self, payload: P, larger: P, *, later: timedelta) -> bool:
        """Whether it does no more than `larger`, which was requested that much earlier, and for no longer."""

    def includes(self, payload: P, act: Act, part: Payload) -> bool:
        """Whether who agreed to `payload` agreed to `part` of it, which another act may be."""
        return act is self.name and self.is_within(cast(P, part), payload, later=timedelta(0))

    @abstractmethod
    def title(self, payload: P, impact: I) -> str:
        """What it does, in the active language: `Resolve 120 alerts`."""

    @abstractmethod
    def word(self, payload: P, impact: I) -> str:
        """What a person types to confirm it alone."""

    @abstractmethod
    def details(self, payload: P, impact: I) -> Mapping[str, object]:
        """Further values for the list of its consequences: `effect`, `until`."""

    @abstractmethod
    def perform(self, payload: P, *, by: User, at: datetime) -> int:
        """Do it, as far as it is possible now, in the caller's transaction. Returns the number of rows it changed.

        Raises CannotPerform.
        """


class StoredAction:
    """A stored request as its kind understands it."""

    def __init__(self, request: ApprovalRequest) -> None:
        self.request = request
        self.kind = kind_named(request.kind)
        self.payload = msgspec.convert(request.payload, self.kind.payload)
        self.impact = msgspec.convert(request.impact, self.kind.impact)

    @property
    def title(self) -> str:
        return self.kind.title(self.payload, self.impact)

    @property
    def shown(self) -> Mapping[str, object]:
        return self.kind.details(self.payload, self.impact)


MODULES = DeferredModules()
"""An app adds those of its modules that call `register`."""

_kinds: dict[str, ApprovalKind[Any, Any]] = {}


def register(kind: ApprovalKind[Any, Any]) -> None:
    _kinds[kind.name] = kind


def kind_named(name: str) -> ApprovalKind[Any, Any]:
    return all_kinds()[name]


def all_kinds() -> Mapping[str, ApprovalKind[Any, Any]]:
    MODULES.load()
    return _kinds
