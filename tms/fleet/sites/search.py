"""The search for sites."""

from django.db.models import Q


def sites_like(text: str) -> Q:
    """Search for sites by code and name, in both languages."""
    return Q(code__icontains=text) | Q(name__icontains=text) | Q(name_ja__icontains=text)
