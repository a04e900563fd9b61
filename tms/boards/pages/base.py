"""What a live page is: its parts, its state, and how both are read again after a change."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import inf
from typing import Any, ClassVar, NamedTuple, Self

from django.http import QueryDict

from tms.accounts.access import Person, scope_of, within
from tms.accounts.scope import Scope
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows.alerts import AlertRow
from tms.boards.rows.forming import FormingRow
from tms.boards.rows.incidents import IncidentRow
from tms.feed.change import Change
from tms.fleet.models import Terminal
from tms.lib.severity import Severity

FULL_CHANGE = Change(everything=True)


class PagePart(NamedTuple):
    """An element that changes while the page is open: a partial of a template and its values.

    Equal values render equally, so an equal part is neither rendered nor sent again.
    """

    template: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PageState:
    """What a page shows at one moment."""

    parts: Mapping[str, PagePart]
    """Parts by element id."""
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The ids of a list's rows, in order, by the id of the list."""
    listed_at: datetime | None = None
    """When the lists were read, if that is not done for each state."""
    lasts_s: float = inf
    """Age at which it must be read again although nothing changed, if that is less than for its page."""


class BoardPage(ABC):
    """A live page with its parameters, as people with one scope see it. Their sockets with the same URL and language
    share one.
    """

    kind: ClassVar[str]
    template: ClassVar[str]
    nav_item: ClassVar[str]
    """The nav item that it belongs to."""
    lasts_s: float = inf
    """Age at which it must be rendered again although nothing changed."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    @classmethod
    @abstractmethod
    def open(cls, query: QueryDict, *, person: Person, **names: str) -> Self | None:
        """The page of a URL; None if it does not exist for this person."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Its canonical URL."""

    @property
    def variant(self) -> str:
        """What its content depends on beside URL, scope and language; equal for people who share a board."""
        return ""

    @abstractmethod
    def concerns(self, change: Change) -> bool:
        """Whether `change` may affect the page."""

    @abstractmethod
    def page_state(
        self, context: RenderContext, change: Change = FULL_CHANGE, before: PageState | None = None
    ) -> PageState:
        """The current state of the page. Parts that `change` does not affect may be taken from the state `before`.

        `context` is of the page's scope. Raises ObjectDoesNotExist if the page's subject was deleted or left the scope.
        """

    def alert_parts(
        self, pks: Collection[int], context: RenderContext, change: Change, before: PageState | None
    ) -> dict[str, PagePart]:
        """The rows of these alerts by element, read where `change` affects them."""
        ids = [f"alert-{pk}" for pk in pks]
        reused = reuse_parts(before, change, ids, is_touched=lambda values: values["alert"].is_touched_by(change))
        # The reason for an alert's position changes with the other terminals of its site.
        rows = context.impact.explain([part.values["alert"] for part in reused.values()])
        moved = [row for row in rows if row is not reused[row.element].values["alert"]]
        missing = [pk for pk in pks if f"alert-{pk}" not in reused]
        return reused | {
            row.element: part for row in [*moved, *context.alerts(missing)] if (part := self.alert_part(row))
        }

    def with_viewers(self, context: RenderContext, change: Change, before: PageState) -> PageState:
        """The state of the page when only viewers changed."""
        alerts = {row.element: {"alert": row} for row in context.alerts(_with_viewers("alert", change, before))}
        found = context.incidents(_with_viewers("incident", change, before))
        rows: dict[str, dict[str, Any]] = alerts | {row.element: {"incident": row} for row in found}
        reused = {element: before.parts[element] for element in rows}
        renewed = {
            element: PagePart(part.template, {**part.values, **rows[element]}) for element, part in reused.items()
        }
        return replace(before, parts={**before.parts, **renewed})

    def with_alarms(self, context: RenderContext, before: PageState) -> PageState:
        """The state of the page when only the sound alarms changed."""
        return with_nav(context, before)

    def rows_needed(self, change: Change, before: PageState) -> tuple[frozenset[int], frozenset[int]]:
        """The terminals and alerts that the next state needs: they are read in one query for all pages."""
        return frozenset(), frozenset()

    def shows_status(self, terminals: Collection[int], page_state: PageState) -> bool:
        """Whether the page shows the status of one of these terminals, which changes it at once."""
        return False

    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, object]:
        """Further context of a GET, which stays the same while the page is open: choices, tabs, legends."""
        return {}

    def alert_part(self, alert: AlertRow, *, is_answer: bool = False) -> PagePart | None:
        """The page's part for `alert`. With `is_answer` it is for htmx and must name its target."""
        return None


class SinglePage(BoardPage):
    """A page without parameters."""

    @classmethod
    def open(cls, query: QueryDict, *, person: Person, **names: str) -> Self:
        return cls(scope_of(person))


def _with_viewers(of: str, change: Change, before: PageState) -> list[int]:
    """Primary keys of the rows of alerts, or of incidents."""
    shown = (element for element in change.viewings if element in before.parts)
    return [int(pk) for kind, _, pk in (element.partition("-") for element in shown) if kind == of]


def covers_terminal(pk: int, scope: Scope) -> bool:
    """Whether the scope still covers it: a terminal may move to another site, or leave a group."""
    return scope.is_everything or within(Terminal.objects.filter(pk=pk), scope).exists()


def nav(context: RenderContext) -> dict[str, PagePart]:
    """Parts that every page has."""
    context = context.present
    number = context.problems.unacknowledged[Severity.CRITICAL]
    return {
        "nav-alerts": PagePart("boards/base.html#nav-alerts", {"unacknowledged": number}),
        "approvals": PagePart("boards/approvals/slot.html#approvals", {"waiting": context.waiting_approvals}),
        "sound-alarms": sound_alarms(context),
    }


def with_nav(context: RenderContext, before: PageState) -> PageState:
    """The state of a page of which only these parts may have changed."""
    return replace(before, parts={**before.parts, **nav(context)})


def incident_part(row: IncidentRow | FormingRow, partial: str, **values: object) -> PagePart:
    """The row of an incident, also of the forming one."""
    return PagePart(f"boards/{row.subject}.html#{partial}", {"incident": row, **values})


def sound_alarms(context: RenderContext) -> PagePart:
    return PagePart("boards/sound.html#sound-alarms", context.sound_alarms)


def counts(numbers: Mapping[str, int], *, is_capped: bool = False) -> dict[str, PagePart]:
    """Numbers on tabs and chips, by element id. `is_capped`: not everything was counted."""
    return {
        name: PagePart("boards/base.html#count", {"id": name, "number": number, "is_capped": is_capped})
        for name, number in numbers.items()
    }


def reuse_parts(
    before: PageState | None, change: Change, ids: Iterable[str], *, is_touched: Callable[[Mapping[str, Any]], bool]
) -> dict[str, PagePart]:
    """The rows of `ids` in `before` that `change` does not affect, by their values."""
    if before is None or change.everything:
        return {}
    reused = ((element, before.parts[element]) for element in ids if element in before.parts)
    return {element: part for element, part in reused if not is_touched(part.values)}
