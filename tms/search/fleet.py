"""Sites and terminals that a search finds."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from functools import reduce
from operator import and_

from django.db.models import Case, Count, Q, Value, When
from django.db.models.functions import Upper
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.fleet.models import Presence, Site, Terminal, TerminalState
from tms.fleet.search import terminals_like
from tms.lib.db.natural_order import natural
from tms.search.hits import Hit, HitGroup, SourceQuery, count_hits, fit_of, join_texts, listing

MIN_INNER_CHARACTERS = 2
"""A single character is looked for at the beginning only."""


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


def terminals(search: SourceQuery) -> HitGroup:
    """Terminals as the search of their list finds them; UIDs that begin with the text come first."""
    rows = visible(Terminal.objects.filter(reduce(and_, map(_terminal_like, search.terms))), to=search.person)
    first = rows.filter(words__startswith=Upper(Value(search.text)))
    shown = [*first.order_by(natural("uid")).values_list("pk", flat=True)[: search.limit]]
    if rest := search.limit - len(shown):
        shown += rows.exclude(pk__in=shown).order_by(natural("uid")).values_list("pk", flat=True)[:rest]
    found = {terminal.pk: terminal for terminal in rows.filter(pk__in=shown).select_related("site", "state")}
    hits = [_terminal_hit(found[pk], search) for pk in shown if pk in found]
    more = listing("terminals", q=search.text)
    return HitGroup("terminals", _("Terminals"), hits, count_hits(rows, shown, search.limit), more)


def _site_like(term: str) -> Q:
    named = Q(name__icontains=term) | Q(name_ja__icontains=term) | Q(region__icontains=term)
    return named | Q(code__istartswith=term)


def _terminal_like(term: str) -> Q:
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
