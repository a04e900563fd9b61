"""The global search: every source is asked, and the groups are ordered by their best hit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain, zip_longest
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from tms.accounts.models import User
from tms.boards.list_filters.filters import read_query
from tms.query.errors import QueryError
from tms.query.query import Query
from tms.query.tree import Operator
from tms.search import alerting, commands, fleet, lists, setup
from tms.search.hits import MAX_COUNTED_HITS, Fit, Hit, HitGroup, SourceQuery
from tms.search.pages import pages
from tms.search.query import SearchQuery

type SearchSource = Callable[[SourceQuery], HitGroup]

SUBJECTS: dict[str, SearchSource] = {
    "query": fleet.matching_list,
    "site": fleet.sites,
    "incident": alerting.incidents,
    "terminal": fleet.terminals,
    "alert": alerting.alerts,
}
"""What actions are offered for, by the kind of the hits."""
SOURCES: Sequence[SearchSource] = (
    *(source for kind, source in SUBJECTS.items() if kind != "query"),
    *(lists.views, lists.groups, lists.jobs),
    *(alerting.rules, alerting.windows),
    *(setup.destinations, setup.policies, setup.rotations, setup.people, setup.teams),
)
OPERATORS = frozenset("".join(Operator))
"""Characters that a text without a condition seldom has."""
MAX_SUBJECTS = 3
"""How many rows a typed action is offered for, of each kind."""


class Results(NamedTuple):
    query: SearchQuery
    groups: Sequence[HitGroup]
    subject: Hit | None = None
    """The row, if only the actions on one row were asked for."""
    problem: QueryError | None = None
    """Why the text, which looks like a query, is none."""

    @property
    def total(self) -> int:
        return sum(group.number for group in self.groups)

    @property
    def is_capped(self) -> bool:
        return any(group.total > MAX_COUNTED_HITS for group in self.groups)


def search(query: SearchQuery, *, person: User, at: datetime, limit: int) -> Results:
    """Search for at most `limit` hits of each kind, of what the person sees. Without a text: all actions and pages."""
    asked = SourceQuery(query.terms, person, at, limit, query_in(query.text))
    groups = [] if query.only_actions else _found(query, asked)
    groups = [*groups, _actions(asked, groups, everywhere=query.only_actions)]
    if not query.only_actions:
        groups.append(pages(asked))
    found = sorted((group for group in groups if group.hits), key=lambda group: group.fit)
    return Results(query, found, problem=None if found else _problem(query.text))


def _found(query: SearchQuery, asked: SourceQuery) -> list[HitGroup]:
    groups = rows_like(query, asked)
    number = next((group.total for group in groups if group.name == "terminals"), 0)
    return [fleet.list_of(asked, number), *groups]


def query_in(text: str) -> str:
    """The text, if it is a query with a condition. Words alone are no query: everything is searched for them."""
    read = read_query(text)
    return text if isinstance(read, Query) and read.used else ""


def _problem(text: str) -> QueryError | None:
    """Why a text with an operator is no query."""
    read = read_query(text) if OPERATORS & set(text) else None
    return read if isinstance(read, QueryError) else None


def rows_like(query: SearchQuery, asked: SourceQuery) -> list[HitGroup]:
    """What the sources find; if that is nothing, what they find for the text exactly as it was typed."""
    if not query.terms:
        return []
    groups = [source(asked) for source in SOURCES]
    if query.typed_terms == query.terms or any(group.hits for group in groups):
        return groups
    return [source(asked._replace(terms=query.typed_terms)) for source in SOURCES]


def actions_of(about: str, *, person: User, at: datetime) -> Results | None:
    """All actions on one row, by `Hit.about`; None if the person sees no such row."""
    kind, _colon, name = about.partition(":")
    if kind not in SUBJECTS or not name:
        return None
    text = SearchQuery.of(name).text if kind == "query" else ""
    found = SUBJECTS[kind](SourceQuery((name,), person, at, MAX_SUBJECTS, query_in(text)))
    subject = next((hit for hit in found.hits if hit.about == about), None)
    if subject is None:
        return None
    hits = list(commands.actions_on(subject, person))
    groups = [HitGroup("actions", _("Actions"), hits, len(hits))] if hits else []
    return Results(SearchQuery(), groups, subject)


def _actions(asked: SourceQuery, found: Iterable[HitGroup], *, everywhere: bool) -> HitGroup:
    """The actions that the text names, or else those on the best hit of each kind, after what was found."""
    verbs, rest = commands.verbs_in(asked.terms)
    hits = list(commands.general(asked.terms, asked.person))
    if verbs and rest:
        typed = _subjects(asked._replace(terms=rest, limit=MAX_SUBJECTS, query=query_in(" ".join(rest))))
        hits += [_fitting(action) for hit in typed for action in commands.actions_on(hit, asked.person, verbs)]
    elif asked.terms:
        subjects = _subjects(asked._replace(limit=MAX_SUBJECTS)) if everywhere else _best(found)
        offered = [list(commands.actions_on(hit, asked.person)) for hit in subjects]
        hits += filter(None, chain.from_iterable(zip_longest(*offered)))
    shown = hits[: asked.limit] if asked.terms and not everywhere else hits
    return HitGroup("actions", _("Actions"), shown, len(hits))


def _subjects(asked: SourceQuery) -> list[Hit]:
    return [hit for source in SUBJECTS.values() for hit in source(asked).hits]


def _best(found: Iterable[HitGroup]) -> list[Hit]:
    """The first of each kind that has actions: what is open comes first, then the best fit."""
    first = [group.hits[0] for group in found if group.hits and group.hits[0].about]
    return sorted(first, key=lambda hit: (hit.kind not in commands.SUBJECTS, hit.fit))


def _fitting(action: Hit) -> Hit:
    return replace(action, fit=Fit.EQUAL)
