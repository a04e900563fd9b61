"""Sites and terminals that a search finds."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import and_, or_

from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.db.models.functions import Upper
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.boards.list_filters.saved_views import filter_of
from tms.fleet.labels.search import labelled
from tms.fleet.models import Presence, Site, Terminal, TerminalState
from tms.fleet.search import terminals_like
from tms.lib.db.natural_order import natural
from tms.search.hits import (
    MAX_COUNTED_HITS,
    Fit,
    Hit,
    HitGroup,
    SourceQuery,
    capped_text,
    count_hits,
    fit_of,
    join_texts,
    listing,
)

MIN_INNER_CHARACTERS = 2
"""A single character is looked for at the beginning only."""
NEVER = Q(pk__in=())


def sites(search: SourceQuery) -> HitGroup:
    """Sites by code, name and region; those whose code or name begins with the text come first."""
    rows = visible(Site.objects.filter(reduce(and_, map(_site_like, search.terms))), to=search.person)
    text = search.text
    begins = Q(code__istartswith=text) | Q(name__istartswith=text) | Q(name_ja__istartswith=text)
    order = Case(When(code__iexact=text, then=0), When(begins, then=1), default=2)
    found = list(rows.order_by(order, "code")[: search.limit])
    presences = _presences(found, search.person)
    hits = [_site_hit(site, presences[site.pk], search) for site in found]
    return HitGroup("sites", _("Sites"), hits, count_hits(rows, found, search.limit))


def matching_list(search: SourceQuery) -> HitGroup:
    """The list of the terminals that a query selects, if the text is one."""
    return list_of(search, matching(search)[: MAX_COUNTED_HITS + 1].count() if search.query else 0)


def list_of(search: SourceQuery, number: int) -> HitGroup:
    """The same, if their number is known."""
    matches = ngettext(
        "%(number)s terminal matches: open the list", "%(number)s terminals match: open the list", number
    )
    hit = Hit(
        kind="query",
        name=search.query,
        title=matches % {"number": capped_text(number)},
        href=listing("terminals", q=search.query),
        icon="terminals",
        fit=Fit.EQUAL,
        row=number,
    )
    hits = [hit] if search.query else []
    return HitGroup("query", _("Query"), hits, len(hits))


def matching(search: SourceQuery) -> QuerySet[Terminal]:
    """The terminals that the list of terminals would show for the query."""
    return filter_of(q=search.query).apply(visible(Terminal.objects.order_by(), to=search.person))


def terminals(search: SourceQuery) -> HitGroup:
    """Terminals as the search of their list finds them, or with a label; UIDs that begin with the text come first."""
    if search.query:
        return _matching_terminals(search)
    alternatives = _terminals_like(search)
    found = visible(Terminal.objects.filter(reduce(or_, alternatives)), to=search.person)
    some = [visible(Terminal.objects.filter(one), to=search.person) for one in alternatives]
    rows, number = _count(found, some, search.person)
    first = rows.filter(words__startswith=Upper(Value(search.text)))
    shown = [*first.order_by(natural("uid")).values_list("pk", flat=True)[: search.limit]]
    if rest := search.limit - len(shown):
        shown += rows.exclude(pk__in=shown).order_by(natural("uid")).values_list("pk", flat=True)[:rest]
    more = listing("terminals", q=search.text)
    return HitGroup("terminals", _("Terminals"), _terminal_hits(shown, search), number, more)


def _count(
    rows: QuerySet[Terminal], alternatives: Sequence[QuerySet[Terminal]], person: User
) -> tuple[QuerySet[Terminal], int]:
    """How many there are, at most MAX_COUNTED_HITS + 1, and the same rows for questions about their order.

    `alternatives`: what they are made of, each of which may have an index of its own. A few rows are named by their
    keys: to find the first of a few by name, PostgreSQL would go through all terminals in the order of their names.
    """
    keys = [one.order_by().values_list("pk", flat=True) for one in alternatives]
    found = keys[0].union(*keys[1:]).order_by() if len(keys) > 1 else keys[0]
    pks = list(found[: MAX_COUNTED_HITS + 1])
    is_few = len(pks) <= MAX_COUNTED_HITS
    return visible(Terminal.objects.filter(pk__in=pks), to=person) if is_few else rows, len(pks)


def _matching_terminals(search: SourceQuery) -> HitGroup:
    """The first ones by name."""
    rows, number = _count(matching(search), [matching(search)], search.person)
    shown = list(rows.order_by(natural("uid")).values_list("pk", flat=True)[: search.limit])
    hits = [replace(hit, fit=Fit.EQUAL) for hit in _terminal_hits(shown, search)]
    more = listing("terminals", q=search.query)
    return HitGroup("terminals", _("Terminals"), hits, number, more)


def _terminal_hits(pks: Sequence[int], search: SourceQuery) -> list[Hit]:
    rows = visible(Terminal.objects.filter(pk__in=pks), to=search.person).select_related("site", "state")
    found = {terminal.pk: terminal for terminal in rows}
    return [_terminal_hit(found[pk], search) for pk in pks if pk in found]


def _site_like(term: str) -> Q:
    named = Q(name__icontains=term) | Q(name_ja__icontains=term) | Q(region__icontains=term)
    return named | Q(code__istartswith=term)


def _terminals_like(search: SourceQuery) -> list[Q]:
    """Each term is in the words of a terminal or is one of its labels; or the whole text is a label."""
    labels = labelled(search.text)
    if len(search.terms) == 1:
        found = [_words_like(search.text)]
    else:
        found = [reduce(and_, (_words_like(term) | (labelled(term) or NEVER) for term in search.terms))]
    return found if labels is None else [*found, labels]


def _words_like(term: str) -> Q:
    if len(term) < MIN_INNER_CHARACTERS and term.isascii():
        return Q(words__startswith=Upper(Value(term)))
    return terminals_like(term)


def _presences(sites: Collection[Site], person: User) -> Mapping[int, Counter[str]]:
    """How many of their terminals, of those that the person sees, have each presence."""
    states = visible(TerminalState.objects.filter(terminal__site__in=sites), to=person)
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for site, presence, number in states.values_list("terminal__site", "presence").annotate(number=Count("pk")):
        counts[site][presence] = number
    return counts


def _site_hit(site: Site, presences: Counter[str], search: SourceQuery) -> Hit:
    number, offline = presences.total(), presences[Presence.OFFLINE]
    size = ngettext("%(number)s terminal", "%(number)s terminals", number) % {"number": f"{number:,}"}
    end = ""
    if offline:
        end = gettext("%(number)s offline") % {"number": f"{offline:,}"}
    elif number and presences[Presence.ONLINE] == number:
        end = gettext("all online")
    return Hit(
        kind="site",
        name=site.code,
        title=site.local_name,
        href=reverse("site", args=(site.code,)),
        icon="sites",
        detail=join_texts(site.code, size),
        end=end,
        end_presence=Presence.OFFLINE if offline else "",
        fit=fit_of(search.terms, site.code, site.name, site.name_ja),
        row=site,
    )


def _terminal_hit(terminal: Terminal, search: SourceQuery) -> Hit:
    state = terminal.state
    is_online = state.presence == Presence.ONLINE
    return Hit(
        kind="terminal",
        name=terminal.uid,
        title=terminal.uid,
        href=terminal.get_absolute_url(),
        detail=join_texts(terminal.site.local_name, terminal.label),
        presence=state.presence,
        since=state.last_seen_at if is_online else state.presence_at,
        fit=fit_of(search.terms, terminal.uid, terminal.label),
        row=terminal,
    )
