from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, ClassVar, NamedTuple, Self

from django.http import QueryDict

from tms.accounts.access import Person
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows.alerts import AlertRow
from tms.boards.rows.incidents import incident_rows
from tms.feed.change import Change
from tms.lib.severity import Severity

EVERYTHING = Change(everything=True)


class PagePart(NamedTuple):
    """An element that changes while one looks: a partial of a template, and the values it is rendered from.

    Equal values render equally, so an equal part is neither rendered nor sent again.
    """

    template: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PageState:
    """What a page shows at one moment."""

    parts: Mapping[str, PagePart]
    """By the id of the element."""
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By the id of the list: the ids of its rows, in order."""


class BoardPage(ABC):
    """A live page with its parameters. Sockets that show the same address in the same language share one."""

    kind: ClassVar[str]
    template: ClassVar[str]
    nav_item: ClassVar[str]
    """The entry of the navigation that it belongs to."""
    lasts_s: ClassVar[float] = inf
    """After this it looks different by the passing of time alone."""

    @classmethod
    @abstractmethod
    def open(cls, query: QueryDict, *, person: Person, **names: str) -> Self | None:
        """The page that an address names; None when there is nothing there for this person."""

    @property
    @abstractmethod
    def address(self) -> str:
        """The one spelling of its address."""

    @abstractmethod
    def concerns(self, change: Change) -> bool:
        """Whether the page may look different after `change`."""

    @abstractmethod
    def page_state(
        self, context: RenderContext, change: Change = EVERYTHING, before: PageState | None = None
    ) -> PageState:
        """What the page shows now. What `change` does not touch may be taken over from the scene `before`.

        Raises ObjectDoesNotExist when what the page is about is gone.
        """

    def alert_parts(
        self, pks: Collection[int], context: RenderContext, change: Change, before: PageState | None
    ) -> dict[str, PagePart]:
        """The rows of these alerts by element, read where `change` touched them."""
        ids = [f"alert-{pk}" for pk in pks]
        stood = reuse_parts(before, change, ids, is_touched=lambda values: values["alert"].is_touched_by(change))
        # Why an alert stands where it stands changes with the terminals beside its own.
        rows = context.impact.explained([part.values["alert"] for part in stood.values()])
        moved = [row for row in rows if row is not stood[row.element].values["alert"]]
        missing = [pk for pk in pks if f"alert-{pk}" not in stood]
        return stood | {
            row.element: part for row in [*moved, *context.alerts(missing)] if (part := self.alert_part(row))
        }

    def with_viewers(self, context: RenderContext, change: Change, before: PageState) -> PageState:
        """What the page shows when nothing has changed but who is at which alert or incident."""
        alerts = {row.element: {"alert": row} for row in context.alerts(_with_viewers("alert", change, before))}
        found = incident_rows(_with_viewers("incident", change, before)).values()
        rows: dict[str, dict[str, Any]] = alerts | {row.element: {"incident": row} for row in found}
        stood = {element: before.parts[element] for element in rows}
        renewed = {
            element: PagePart(part.template, {**part.values, **rows[element]}) for element, part in stood.items()
        }
        return PageState({**before.parts, **renewed}, before.lists)

    def rows_needed(self, change: Change, before: PageState) -> tuple[frozenset[int], frozenset[int]]:
        """The terminals and alerts whose rows the next scene will need: read in one query for all pages."""
        return frozenset(), frozenset()

    def static_context(self, page_state: PageState) -> dict[str, Any]:
        """What a GET shows besides the scene, and what stands still while one looks: choices, tabs, legends."""
        return {}

    def alert_part(self, alert: AlertRow, *, is_answer: bool = False) -> PagePart | None:
        """How this page shows `alert`; `is_answer`: to htmx, which must be told where it belongs."""
        return None


def _with_viewers(of: str, change: Change, before: PageState) -> list[int]:
    """The primary keys of the rows of alerts, or of incidents."""
    shown = (place for place in change.viewings if place in before.parts)
    return [int(pk) for kind, _, pk in (place.partition("-") for place in shown) if kind == of]


def nav(context: RenderContext) -> dict[str, PagePart]:
    """Parts that every page has."""
    number = context.census.unacknowledged[Severity.CRITICAL]
    return {
        "nav-alerts": PagePart("boards/base.html#nav-alerts", {"unacknowledged": number}),
        "sound-alarms": PagePart("boards/sound.html#sound-alarms", context.sound_alarms),
    }


def counts(numbers: Mapping[str, int]) -> dict[str, PagePart]:
    """Numbers on tabs and chips, by the id of the element."""
    return {
        name: PagePart("boards/base.html#count", {"id": name, "number": number}) for name, number in numbers.items()
    }


def reuse_parts(
    before: PageState | None, change: Change, ids: Iterable[str], *, is_touched: Callable[[Mapping[str, Any]], bool]
) -> dict[str, PagePart]:
    """Those of the rows `ids` that stood in `before` and that `change` does not touch, judged by their values."""
    if before is None or change.everything:
        return {}
    stood = ((element, before.parts[element]) for element in ids if element in before.parts)
    return {element: part for element, part in stood if not is_touched(part.values)}
