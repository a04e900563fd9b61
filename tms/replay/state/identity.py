"""What identified terminals at an instant: name, site, kind, model, firmware, groups, and whether they were in service.

Who may see a terminal is decided by its row of today. Its site of then is shown to people who see that site; for
others, and if the site was deleted, the terminal stays at the present one.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import batched
from typing import Any, NamedTuple

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.fleet.identity.history import TEXTS
from tms.fleet.identity.past import values_before
from tms.fleet.lifecycle import COUNTED
from tms.fleet.models import IdentityChange, IdentityField, Site, Terminal
from tms.replay.state.base import KEYS, Instant

PLACING = (IdentityField.SITE, IdentityField.KIND, IdentityField.LIFECYCLE)
"""What decides where a terminal counts."""

type Facts = Mapping[str, Any]
"""Values by `IdentityField`; those that are the same today are missing."""


class Placed(NamedTuple):
    """Where a terminal counts."""

    site: int
    kind: str
    is_counted: bool
    """It was in service."""


class PlacedTwice(NamedTuple):
    """A terminal that counts elsewhere today than then, or only then, or only today."""

    today: Placed
    then: Placed


def facts_of(terminals: Collection[int], instant: Instant, scope: Scope) -> dict[int, Facts]:
    """What was different about these terminals (index: identitychange_terminal)."""
    found: dict[int, dict[str, Any]] = {}
    for chunk in batched(sorted(terminals), KEYS):
        found |= values_before(instant.later(IdentityChange.objects.filter(terminal__in=chunk)))
    return _at_shown_sites(found, scope)


def moved(instant: Instant, scope: Scope) -> Iterator[tuple[int, PlacedTwice]]:
    """The terminals of the scope that counted elsewhere (index: identitychange_at)."""
    changes = instant.later(IdentityChange.objects.filter(field__in=PLACING))
    facts = _at_shown_sites(values_before(changes), scope)
    for chunk in batched(facts, KEYS):
        rows = within(instant.existing(), scope).filter(pk__in=chunk).order_by()
        for pk, site, kind, lifecycle in rows.values_list("pk", "site_id", "kind", "lifecycle"):
            today = (site, kind, lifecycle)
            yield pk, PlacedTwice(_placed(today, {}), _placed(today, facts[pk]))


def placed_of(terminals: Collection[int], instant: Instant, scope: Scope) -> dict[int, Placed]:
    """Where these terminals counted, as far as the scope covers them."""
    facts = facts_of(terminals, instant, scope)
    rows = within(instant.existing(), scope).filter(pk__in=terminals).order_by()
    columns = rows.values_list("pk", "site_id", "kind", "lifecycle")
    return {pk: _placed((site, kind, lifecycle), facts.get(pk, {})) for pk, site, kind, lifecycle in columns}


def rewind(terminals: Iterable[Terminal], instant: Instant, scope: Scope) -> None:
    """Give these rows the values of then. They are to be shown, and never saved."""
    rows = list(terminals)
    facts = facts_of({row.pk for row in rows}, instant, scope)
    sites = Site.objects.in_bulk({one[IdentityField.SITE][0] for one in facts.values() if IdentityField.SITE in one})
    for row in rows:
        _rewind(row, facts.get(row.pk, {}), sites)


def _rewind(terminal: Terminal, facts: Facts, sites: Mapping[int, Site]) -> None:
    for name in TEXTS:
        if name in facts:
            setattr(terminal, name, facts[name])
    if IdentityField.SITE in facts:
        terminal.site = sites[facts[IdentityField.SITE][0]]
    if IdentityField.PARENT in facts:
        terminal.parent_id = facts[IdentityField.PARENT][0] if facts[IdentityField.PARENT] else None


def groups_of(facts: Facts) -> set[int] | None:
    """The groups of then; None if they are those of today."""
    groups = facts.get(IdentityField.GROUPS)
    return None if groups is None else {pk for pk, _ in groups}


def site_of(facts: Facts, today: int) -> int:
    site: int = facts.get(IdentityField.SITE, [today])[0]
    return site


def _placed(today: tuple[int, str, str], facts: Facts) -> Placed:
    site, kind, lifecycle = today
    state = facts.get(IdentityField.LIFECYCLE, lifecycle)
    return Placed(site_of(facts, site), facts.get(IdentityField.KIND, kind), state in COUNTED)


def _at_shown_sites(found: dict[int, dict[str, Any]], scope: Scope) -> dict[int, Facts]:
    """The facts without sites that the scope does not show."""
    named = {facts[IdentityField.SITE][0] for facts in found.values() if IdentityField.SITE in facts}
    shown = set(within(Site.objects.filter(pk__in=named), scope).values_list("pk", flat=True)) if named else set()
    for facts in found.values():
        if IdentityField.SITE in facts and facts[IdentityField.SITE][0] not in shown:
            del facts[IdentityField.SITE]
    return dict(found)
