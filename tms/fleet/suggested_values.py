"""Values that completion suggests for the fields of queries: those that the person may see."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from tms.accounts.access import visible
from tms.fleet.models import Region, Site

MAX_VALUES = 10


class Existing:
    """Suggests the values of a column that rows of the person have."""

    def __init__(self, model: Any, column: str) -> None:
        self._model, self._column = model, column

    def __call__(self, person: Any, begun: str) -> Iterable[str]:
        rows = self._model.objects.filter(**{f"{self._column}__istartswith": begun}).exclude(**{self._column: ""})
        values = visible(rows, to=person).order_by(self._column).values_list(self._column, flat=True)
        return values.distinct()[:MAX_VALUES]  # type: ignore[no-any-return]


def site_codes(person: Any, begun: str) -> Iterable[str]:
    named = Q(code__istartswith=begun) | Q(name__icontains=begun) | Q(name_ja__icontains=begun)
    return visible(Site.objects.filter(named).order_by("code"), to=person).values_list("code", flat=True)[:MAX_VALUES]


def region_names(person: Any, begun: str) -> Iterable[str]:
    named = Region.objects.filter(Q(name__istartswith=begun) | Q(name_ja__startswith=begun))
    return visible(named.order_by("name"), to=person).values_list("name", flat=True)[:MAX_VALUES]
