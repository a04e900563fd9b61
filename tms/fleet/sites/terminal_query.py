"""Opening hours as a field of queries about terminals: `open:yes`."""

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tms.fleet.sites.hours_cache import hours_cache
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.query.fields import Field, MovedBy
from tms.query.tree import Operator
from tms.query.value_kinds import ChoiceKind

OPEN = ChoiceKind({"yes": ("yes",), "no": ("no",)}, {"yes": _("yes"), "no": _("no")})


def add_fields() -> None:
    TERMINAL_FIELDS.add(Field("open", _("Whether the site is open now"), OPEN, compare=_compare, moved_by=MovedBy.PLAN))


def at_closed_site(at: datetime) -> Q:
    """Terminals of the sites that are closed at this instant. No column says it: the hours of all sites are asked."""
    return Q(site__in=list(hours_cache().all_closed(at)))


def _compare(operator: Operator, wanted: tuple[str, ...], at: datetime) -> Q:
    return at_closed_site(at) if "no" in wanted else ~at_closed_site(at)
