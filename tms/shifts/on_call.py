"""Who was on call at an instant, and when that changed.

Notifications import shifts, not the other way round: the app that has rotations registers a source here.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from tms.accounts.display_names import Name
from tms.accounts.scope import Scope


class OnCallPeriod(NamedTuple):
    """A person is on call from `since` to before `until`."""

    rotation: str
    person: Name
    since: datetime
    until: datetime


type OnCallSource = Callable[[datetime, datetime, Scope], Iterable[OnCallPeriod]]

_sources: list[OnCallSource] = []


def register_source(source: OnCallSource) -> None:
    """`source` finds the on-call shifts of the rotations of a scope that overlap a period.

    Call it once, when the app is ready.
    """
    _sources.append(source)


def on_call_between(since: datetime, until: datetime, scope: Scope) -> list[OnCallPeriod]:
    """The periods in chronological order."""
    found = chain.from_iterable(source(since, until, scope) for source in _sources)
    return sorted(found, key=lambda period: (period.since, period.rotation))
