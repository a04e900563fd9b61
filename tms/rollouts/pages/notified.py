"""Who is notified of a rollout.

Notifications import rollouts, not the other way round: the app that notifies registers a source here.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from tms.accounts.scope import Scope
from tms.rollouts.models import Rollout


class NewsRecipient(NamedTuple):
    """A person or a destination."""

    name: str
    of: tuple[str, ...]
    """What they are notified of, in words; empty if nothing reaches them."""
    is_person: bool = False

    @property
    def icon(self) -> str:
        return "person" if self.is_person else "letter"


type NotifiedSource = Callable[[Rollout, Scope, datetime], Iterable[NewsRecipient]]

_sources: list[NotifiedSource] = []


def register_source(source: NotifiedSource) -> None:
    """`source` finds who would be notified now, of those that a scope shows.

    Call it once, when the app is ready.
    """
    _sources.append(source)


def notified_of(rollout: Rollout, scope: Scope, *, at: datetime) -> list[NewsRecipient]:
    return list(chain.from_iterable(source(rollout, scope, at) for source in _sources))
