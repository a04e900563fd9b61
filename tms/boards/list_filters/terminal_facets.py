"""How many terminals each choice of presence and planned absence would show, with all other filters applied.

With filters by site and kind the numbers come from the census, without a query. With any other filter the first
`MAX_TERMINALS` matching terminals are counted, so the cost is bounded at any size of the fleet.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import Count, QuerySet

from tms.accounts.scope import Scope
from tms.alerts.terminal_query import in_maintenance
from tms.boards.caches.census import Census
from tms.boards.caches.plans import plan_cache
from tms.boards.list_filters.filters import TerminalFilter
from tms.boards.rows.planned import PlannedKind, numbers
from tms.fleet.models import Presence, Site, Terminal
from tms.fleet.sites.hours_cache import hours_cache
from tms.query.editing import only_condition
from tms.query.tree import Operator
from tms.query.value_kinds import TEXT

SITE_NAMES = ("code", "name", "name_ja")
MAX_TERMINALS = 10_000

type GroupCounts = Mapping[tuple[int, str], int]
"""Number of terminals by site and presence."""


class FilterCounts(NamedTuple):
    """Numbers of terminals. There are at least as many as these, if `is_capped`."""

    numbers: Mapping[str, int]
    """Numbers by presence, and by planned absence as `expected-maintenance`."""
    matching: int
    """Number of terminals that match the filter."""
    is_capped: bool = False


def facets(
    chosen: TerminalFilter, terminals: QuerySet[Terminal], *, census: Census, scope: Scope, at: datetime
) -> FilterCounts:
    """`terminals`: what the scope covers; `census`: their counts."""
    if chosen.is_empty:
        planned = numbers(census, at=at, scope=scope)
        return FilterCounts(
            _name_counts({name: census.presences[name] for name in Presence.values}, planned), census.total
        )
    others = chosen.without("presence", "expected")
    matching = others.apply(terminals)
    of_census = _of_census(census, others, at=at)
    everything = _count_first(matching) if of_census is None else of_census
    in_maintenance = _in_maintenance(matching, at=at)
    counted = (everything, in_maintenance) if of_census is None else (in_maintenance,)
    closed = hours_cache().closed({site for site, _ in everything}, at)
    is_capped = any(_total(counts) >= MAX_TERMINALS for counts in counted)
    return _sum(chosen, _Counted(everything, in_maintenance, closed), is_capped=is_capped)


class _Counted(NamedTuple):
    everything: GroupCounts
    """What matches the filter apart from presence and planned absence."""
    in_maintenance: GroupCounts
    """The part of it that is in maintenance."""
    closed: Collection[int]
    """Sites that are closed."""

    def with_plans(self, kinds: Collection[str]) -> GroupCounts:
        """The part with one of these planned absences; everything, if there are none."""
        if not kinds:
            return self.everything
        has_closed, has_maintenance = PlannedKind.CLOSED in kinds, PlannedKind.MAINTENANCE in kinds
        closed = {key: number for key, number in self.everything.items() if has_closed and key[0] in self.closed}
        return {**(self.in_maintenance if has_maintenance else {}), **closed}


def _sum(chosen: TerminalFilter, found: _Counted, *, is_capped: bool) -> FilterCounts:
    presence = chosen.chosen("presence")
    planned = found.with_plans(chosen.chosen("expected"))
    presences = {name: _total(planned, (name,)) for name in Presence.values}
    absences = {kind: _total(found.with_plans((kind,)), presence) for kind in PlannedKind.values}
    return FilterCounts(_name_counts(presences, absences), _total(planned, presence), is_capped)


def _name_counts(presences: Mapping[str, int], absences: Mapping[str, int]) -> dict[str, int]:
    return {**presences, **{f"expected-{kind}": number for kind, number in absences.items()}}


def _in_maintenance(matching: QuerySet[Terminal], *, at: datetime) -> GroupCounts:
    if not plan_cache().maintenance(at).windows:
        return {}
    return _count_first(matching.filter(in_maintenance(at)))


def _of_census(census: Census, others: TerminalFilter, *, at: datetime) -> GroupCounts | None:
    """What the census knows of; None if the filter has more than one site and kinds."""
    if others.problem or not others.without("site", "kind").is_empty:
        return None
    if site := only_condition(others.q, "site"):
        named = (TEXT.compare(column, Operator.IS, value, at) for column in SITE_NAMES for value in site.values)
        census = census.within(Site.objects.filter(reduce(or_, named)).values_list("pk", flat=True))
    kinds = others.chosen("kind")
    found: Counter[tuple[int, str]] = Counter()
    for (site_id, presence, kind), number in census.terminals.items():
        if not kinds or kind in kinds:
            found[site_id, presence] += number
    return found


def _count_first(matching: QuerySet[Terminal]) -> GroupCounts:
    """Numbers of the first `MAX_TERMINALS` terminals."""
    rows = Terminal.objects.filter(
        pk__in=matching.order_by().values("pk")[:MAX_TERMINALS], state__isnull=False
    ).order_by()
    groups = rows.values_list("site", "state__presence").annotate(number=Count("pk"))
    return {(site, presence): number for site, presence, number in groups}


def _total(counts: GroupCounts, presences: Collection[str] = ()) -> int:
    """The number of terminals with these presences; of all, if there are none."""
    return sum(number for (_, presence), number in counts.items() if not presences or presence in presences)
