"""Public holidays by country, and by subdivision if that has its own: `JP`, `DE-BY`."""

from __future__ import annotations

from collections.abc import Container
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

if TYPE_CHECKING:
    from holidays import HolidayBase


@lru_cache(64)
def calendar(name: str) -> HolidayBase:
    """The holidays of a calendar in any year. Raises NotImplementedError for an unknown calendar."""
    from holidays import country_holidays

    country, _, part = name.partition("-")
    return country_holidays(country, subdiv=part or None)


def public_holidays(name: str) -> Container[date]:
    """The holidays of a calendar; empty without a name, or with one that a newer library no longer has."""
    try:
        return calendar(name) if name else frozenset()
    except NotImplementedError:
        return frozenset()


def check_calendar(name: str) -> None:
    """A validator of the models."""
    from holidays import list_supported_countries

    country, _, part = name.partition("-")
    known = list_supported_countries()
    if country not in known:
        raise ValidationError(
            gettext("No holiday calendar for this country. Use a two-letter code such as JP, DE or US.")
        )
    if part and part not in known[country]:
        parts = ", ".join(known[country]) or "–"
        raise ValidationError(
            gettext("%(country)s has no such region. Use one of: %(parts)s.") % {"country": country, "parts": parts}
        )
