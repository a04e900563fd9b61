"""Which rows of the history were committed at an instant.

A change is recorded with the instant at which it was decided, and is in the database after its commit. To compare a
replay with what was in the database, changes that were decided but not committed are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from django.db.models import F, Max, Model, Q, Window
from django.db.models.functions import Lead

from tms.alerts.models import IncidentTransition, MembershipChange, Transition
from tms.fleet.models import IdentityChange, PresenceChange, Terminal

TAIL = 20_000
"""Transactions in progress have written their rows among the newest of a table."""
HISTORIES: Sequence[type[Model]] = (
    *(Terminal, IdentityChange, PresenceChange),
    *(Transition, IncidentTransition, MembershipChange),
)
"""Tables to which rows are added, and never changed as far as replays read them."""


@dataclass(frozen=True, slots=True)
class VisibleRows:
    """The committed rows of one table."""

    last: int
    gaps: Sequence[tuple[int, int]] = ()
    """Keys up to `last` that were not there: the first and the last of each range."""

    def __contains__(self, pk: int) -> bool:
        return pk <= self.last and not any(first <= pk <= last for first, last in self.gaps)

    @property
    def unseen(self) -> Q:
        """A filter of the others."""
        return Q(pk__gt=self.last) | Q(*(Q(pk__range=gap) for gap in self.gaps), _connector="OR")


@dataclass(frozen=True, slots=True)
class CommittedRows:
    """The committed rows of each of `HISTORIES`."""

    tables: Mapping[type[Model], VisibleRows]

    @classmethod
    def read(cls) -> Self:
        """Call it in a consistent read."""
        return cls({model: _visible(model) for model in HISTORIES})

    def of(self, model: type[Model]) -> VisibleRows:
        return self.tables[model]


def _visible(model: type[Model]) -> VisibleRows:
    rows = model._default_manager.order_by("pk")
    last = rows.aggregate(last=Max("pk"))["last"] or 0
    tail = rows.filter(pk__gt=last - TAIL).annotate(following=Window(Lead("pk"), order_by="pk"))
    before_gaps = tail.filter(following__gt=F("pk") + 1).values_list("pk", "following")
    return VisibleRows(last, tuple((pk + 1, following - 1) for pk, following in before_gaps))
