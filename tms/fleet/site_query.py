"""The fields of queries about sites. Opening hours, tags and attributes are added when the fleet is ready."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tms.fleet.search import sites_like
from tms.fleet.suggested_values import region_names, site_codes
from tms.query.fields import Field, FieldSet
from tms.query.value_kinds import PART_OF_TEXT, TEXT

SITE_FIELDS = FieldSet(
    Field("code", _("Code"), TEXT, ("code",), suggest=site_codes),
    Field("name", _("Part of the name"), PART_OF_TEXT, ("name", "name_ja")),
    Field("region", _("Region"), TEXT, ("region",), suggest=region_names),
    Field("address", _("Part of the address"), PART_OF_TEXT, ("address",)),
    words=lambda word: sites_like(word) | Q(address__icontains=word),
)
