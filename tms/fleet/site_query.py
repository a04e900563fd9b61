"""The fields of queries about sites. Opening hours, tags and attributes are added when the fleet is ready."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import visible
from tms.fleet.models import Region, Site
from tms.fleet.search import sites_like
from tms.query.fields import Field, FieldSet
from tms.query.value_kinds import PART_OF_TEXT, TEXT

MAX_VALUES = 10


def _codes(person: Any, begun: str) -> Iterable[str]:
    sites = visible(Site.objects.filter(code__istartswith=begun).order_by("code"), to=person)
    return sites.values_list("code", flat=True)[:MAX_VALUES]


def _regions(person: Any, begun: str) -> Iterable[str]:
    named = Region.objects.filter(Q(name__istartswith=begun) | Q(name_ja__startswith=begun))
    return visible(named.order_by("name"), to=person).values_list("name", flat=True)[:MAX_VALUES]


SITE_FIELDS = FieldSet(
    Field("code", _("Code"), TEXT, ("code",), suggest=_codes),
    Field("name", _("Part of the name"), PART_OF_TEXT, ("name", "name_ja")),
    Field("region", _("Region"), TEXT, ("region",), suggest=_regions),
    Field("address", _("Part of the address"), PART_OF_TEXT, ("address",)),
    words=lambda word: sites_like(word) | Q(address__icontains=word),
)
