"""Opening hours as a field of queries about terminals and sites: `open:yes`."""

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tms.fleet.site_query import SITE_FIELDS
from tms.fleet.sites.hours_cache import hours_cache
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.query.fields import Field, MovedBy
from tms.query.tree import Operator
from tms.query.value_kinds import ChoiceKind

OPEN = ChoiceKind({"yes": ("yes",), "no": ("no",)}, {"yes": _("yes"), "no": _("no")})


def add_fields() -> None:
    label = _("Whether the site is open now")
    TERMINAL_FIELDS.add(Field("open", label, OPEN, compare=_of_terminals, moved_by=MovedBy.PLAN))
    SITE_FIELDS.add(Field("open", label, OPEN, compare=_of_sites, moved_by=MovedBy.PLAN))


def at_closed_site(at: datetime) -> Q:
    """Terminals of the sites that are closed at this instant. No column says it: the hours of all sites are asked."""
    return Q(site__in=list(hours_cache().all_closed(at)))


def _of_terminals(operator: Operator, wanted: tuple[str, ...], at: datetime) -> Q:
    return at_closed_site(at) if "no" in wanted else ~at_closed_site(at)


def _of_sites(operator: Operator, wanted: tuple[str, ...], at: datetime) -> Q:
    closed = Q(pk__in=list(hours_cache().all_closed(at)))
    return closed if "no" in wanted else ~closed
