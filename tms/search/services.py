"""The global search: every source is asked, and the groups are ordered by their best hit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain, zip_longest
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from tms.accounts.models import User
from tms.search import alerting, commands, fleet, setup
from tms.search.hits import MAX_COUNTED_HITS, Fit, Hit, HitGroup, SourceQuery
from tms.search.pages import pages
from tms.search.query import SearchQuery

type SearchSource = Callable[[SourceQuery], HitGroup]

SUBJECTS: dict[str, SearchSource] = {
    "site": fleet.sites,
    "incident": alerting.incidents,
    "terminal": fleet.terminals,
    "alert": alerting.alerts,
}
"""What actions are offered for, by the kind of the hits."""
SOURCES: Sequence[SearchSource] = (
    *SUBJECTS.values(),
    *(alerting.rules, alerting.windows),
    *(setup.destinations, setup.policies, setup.rotations, setup.people, setup.teams),
)
MAX_SUBJECTS = 3
"""How many rows a typed action is offered for, of each kind."""


class Results(NamedTuple):
    query: SearchQuery
    groups: Sequence[HitGroup]
    subject: Hit | None = None
    """The row, if only the actions on one row were asked for."""

    @property
    def total(self) -> int:
        return sum(group.number for group in self.groups)

    @property
    def is_capped(self) -> bool:
        return any(group.total > MAX_COUNTED_HITS for group in self.groups)


def search(query: SearchQuery, *, person: User, at: datetime, limit: int) -> Results:
    """Search for at most `limit` hits of each kind, of what the person sees. Without a text: all actions and pages."""
    asked = SourceQuery(query.terms, person, at, limit)
    groups = [] if query.only_actions else rows_like(query, asked)
    groups = [*groups, _actions(asked, groups, everywhere=query.only_actions)]
    if not query.only_actions:
        groups.append(pages(asked))
    return Results(query, sorted((group for group in groups if group.hits), key=lambda group: group.fit))


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
    found = SUBJECTS[kind](SourceQuery((name,), person, at, MAX_SUBJECTS))
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
        typed = _subjects(asked._replace(terms=rest, limit=MAX_SUBJECTS))
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
