from django.db.models import Q, Value
from django.db.models.functions import Upper

from tms.fleet.models import Site


def terminals_like(text: str) -> Q:
    """What a search for terminals covers: UID, location, serial number, model, site and address."""
    sites = Site.objects.filter(Q(code__iexact=text) | Q(name__icontains=text) | Q(name_ja__icontains=text))
    # A list and no subquery, so that PostgreSQL can join both indexes.
    return Q(site__in=list(sites.values_list("pk", flat=True))) | Q(words__contains=Upper(Value(text)))
