"""Values that rows of several boards share."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from tms.alerts.models.kind_traits import KindWithTraits
from tms.fleet.models import Presence, Site
from tms.fleet.sites.names import Bilingual


class SiteLabel(NamedTuple):
    code: str
    name: Bilingual


class LinkView(NamedTuple):
    """What TMS knows of the link."""

    presence: str
    since: datetime | None
    cause: str
    back_at: datetime | None
    due_at: datetime | None
    last_seen_at: datetime | None


class LinkColumns(Protocol):
    """The columns that rows need of a `TerminalState`."""

    @property
    def presence(self) -> str: ...
    @property
    def presence_at(self) -> datetime | None: ...
    @property
    def cause(self) -> str: ...
    @property
    def back_at(self) -> datetime | None: ...
    @property
    def due_at(self) -> datetime | None: ...
    @property
    def last_seen_at(self) -> datetime | None: ...


def site_label(site: Site) -> SiteLabel:
    return SiteLabel(site.code, Bilingual(site.name, site.name_ja))


def link_view(state: LinkColumns) -> LinkView:
    # While a terminal is online the instant moves with its lease, which is of no interest to people.
    due_at = state.due_at if state.presence == Presence.SILENT else None
    return LinkView(state.presence, state.presence_at, state.cause, state.back_at, due_at, state.last_seen_at)


UNDONE = timedelta(minutes=1)


class HistoryRow(Protocol):
    """One row of a history."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> datetime: ...


def reopening[Row: HistoryRow](history: Sequence[Row], kinds: type[KindWithTraits]) -> Row | None:
    """Why something was reopened: the newest transition that changed its state, if it was a reopening.

    A person who takes something back at once has undone it: that is no news, and would be on the row for good.
    """
    newest = [row for row in reversed(history) if kinds(row.kind).traits.leads_to][:2]
    if not newest or not kinds(newest[0].kind).traits.is_reopening:
        return None
    is_undo = newest[0].kind == kinds["REOPENED"] and newest[0].at - newest[-1].at < UNDONE
    return None if is_undo else newest[0]
