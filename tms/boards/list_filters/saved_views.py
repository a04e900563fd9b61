"""The tabs of the list of terminals: views that are built in, and those that people saved, with their numbers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlencode

from django.core.cache import cache
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.access import within
from tms.accounts.models import User
from tms.accounts.scope import Scope
from tms.boards.list_filters.filters import NOT_LISTED, TerminalFilter
from tms.fleet.models import Lifecycle, SavedView, Terminal, ViewedList
from tms.fleet.saved_views.services import may_change, views_of

MAX_TABS = 20
"""Saved views that have a tab; the others are on the page of all views."""
MAX_NUMBERED_VIEWS = 10
"""Tabs of saved views that show a number."""
MAX_COUNTED = 10_000
KEPT_S = 60
"""A number is counted again after this time at the earliest, however often the list is opened."""

BUILT_IN: Sequence[tuple[str, str | Promise, Mapping[str, str]]] = (
    ("count-all", pgettext_lazy("terminals", "All"), {}),
    ("count-alerts", _("With alerts"), {"q": "alert:any"}),
    *((f"count-{state}", Lifecycle(state).label, {"q": f"state:{state}"}) for state in NOT_LISTED),
)
"""The part with the number, the label and the parameters of each."""


class ListState(NamedTuple):
    """What a list shows, and in which form: what a view saves. The texts are those of the URL."""

    chosen: TerminalFilter
    columns: str
    order: str

    def equals(self, view: SavedView) -> bool:
        texts = (self.chosen.q, self.columns, self.order)
        return texts == (view.query, view.columns, view.order) and self.chosen == filter_of(q=view.query)


class ViewNumber(NamedTuple):
    number: int
    is_capped: bool


class BuiltInTab(NamedTuple):
    part: str
    label: str | Promise
    address: str
    is_current: bool


class ViewTab(NamedTuple):
    view: SavedView
    is_current: bool
    is_modified: bool
    """Whether it was opened, and the list is another one now."""
    number: ViewNumber | None
    """None if it is not counted, or not yet."""


@dataclass(frozen=True, slots=True)
class ViewTabs:
    built_in: Sequence[BuiltInTab]
    saved: Sequence[ViewTab]
    more: int
    """How many views have no tab."""
    current: ViewTab | None
    """The saved view that was opened, or that the list equals."""
    is_editable: bool
    """Whether the person may change the current one."""
    fields: Mapping[str, str]
    """The parameters that a view of this list saves."""

    @property
    def new(self) -> str:
        """URL of the form that saves the list as a view."""
        given = {name: value for name, value in self.fields.items() if value}
        return reverse("new-view") + (f"?{urlencode(given)}" if given else "")

    @property
    def has_uncounted(self) -> bool:
        return any(tab.number is None for tab in self.saved[:MAX_NUMBERED_VIEWS] if not _problem(tab.view))


def view_tabs(listed: ListState, *, opened: str, person: User, scope: Scope) -> ViewTabs:
    """`opened`: the primary key of the view from which the person came; empty if from none."""
    views = tab_views(person)
    current = _current(views, listed, opened)
    shown = views[:MAX_TABS] if current is None or current in views[:MAX_TABS] else [*views[: MAX_TABS - 1], current]
    numbers = known_numbers(numbered(views), scope)
    is_modified = current is not None and not listed.equals(current)
    saved = [ViewTab(v, v is current, v is current and is_modified, numbers.get(v.pk)) for v in shown]
    return ViewTabs(
        built_in=[_built_in(entry, listed, is_free=current is None) for entry in BUILT_IN],
        saved=saved,
        more=len(views) - len(shown),
        current=next((tab for tab in saved if tab.is_current), None),
        is_editable=current is not None and may_change(current, by=person),
        fields={"q": listed.chosen.q, "columns": listed.columns, "order": listed.order},
    )


def tab_views(person: User) -> Sequence[SavedView]:
    """The views of the person in the order of their tabs: private ones first."""
    return list(views_of(person).filter(list=ViewedList.TERMINALS).order_by("is_shared", "name", "pk"))


def numbered(views: Sequence[SavedView]) -> Sequence[SavedView]:
    """The views of which the number is shown."""
    return views[:MAX_NUMBERED_VIEWS]


def known_numbers(views: Collection[SavedView], scope: Scope) -> dict[int, ViewNumber]:
    """The numbers that were counted lately, by primary key."""
    keys = {view.pk: _key(view, scope) for view in views}
    found = cache.get_many(set(keys.values())) if keys else {}
    return {pk: ViewNumber(*found[key]) for pk, key in keys.items() if key in found}


def count_views(views: Iterable[SavedView], scope: Scope) -> dict[int, ViewNumber]:
    """The numbers of terminals in the scope, by primary key; without views whose query cannot be read any more."""
    counted = {view.pk: (_key(view, scope), _count(view, scope)) for view in views if not _problem(view)}
    cache.set_many({key: tuple(number) for key, number in counted.values()}, KEPT_S)
    return {pk: number for pk, (_key_of_it, number) in counted.items()}


def _count(view: SavedView, scope: Scope) -> ViewNumber:
    rows = filter_of(q=view.query).apply(within(Terminal.objects.all(), scope))
    number = rows.order_by()[: MAX_COUNTED + 1].count()
    return ViewNumber(min(number, MAX_COUNTED), number > MAX_COUNTED)


def _key(view: SavedView, scope: Scope) -> str:
    """Equal for all who see the same."""
    return f"view-number-{sha256(f'{scope.key}\n{view.query}'.encode()).hexdigest()}"


def _current(views: Sequence[SavedView], listed: ListState, opened: str) -> SavedView | None:
    by_key = {str(view.pk): view for view in views}
    return by_key.get(opened) or next(filter(listed.equals, views), None)


def _built_in(entry: tuple[str, str | Promise, Mapping[str, str]], listed: ListState, *, is_free: bool) -> BuiltInTab:
    part, label, given = entry
    address = reverse("terminals") + (f"?{urlencode(given)}" if given else "")
    return BuiltInTab(part, label, address, is_free and filter_of(**given) == listed.chosen)


def filter_of(**given: str) -> TerminalFilter:
    """The filter of a URL with these parameters."""
    return TerminalFilter.of(QueryDict(urlencode(given)))


def _problem(view: SavedView) -> bool:
    return filter_of(q=view.query).problem is not None
