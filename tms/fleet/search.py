"""The search for terminals and for sites."""

from django.db.models import Q, Value
from django.db.models.functions import Upper

from tms.fleet.models import Site


def terminals_like(text: str) -> Q:
    """Search for terminals by UID, location, serial number, model, site and address."""
    sites = Site.objects.filter(Q(code__iexact=text) | Q(name__icontains=text) | Q(name_ja__icontains=text))
    # A list instead of a subquery, so that PostgreSQL can combine both indexes.
    return Q(site__in=list(sites.values_list("pk", flat=True))) | Q(words__contains=Upper(Value(text)))


def sites_like(text: str) -> Q:
    """Search for sites by code and name, in both languages."""
    return Q(code__icontains=text) | Q(name__icontains=text) | Q(name_ja__icontains=text)
