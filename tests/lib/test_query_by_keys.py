"""Queries whose text is made once."""

from collections.abc import Collection
from typing import Any

import pytest
from django.db.models import QuerySet

from tms.fleet.models import Site
from tms.lib.db.prepared import QueryByKeys

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def codes(pks: Collection[int]) -> QuerySet[Site, tuple[Any, ...]]:
    return Site.objects.exclude(code="XXX").filter(pk__in=pks).values_list("pk", "code")


def test_it_returns_what_the_orm_returns():
    sites = [Site.objects.create(code=code, name=code) for code in ("ABC", "DEF", "XXX", "GHI")]
    pks = [site.pk for site in sites[:3]]
    query = QueryByKeys(codes)

    found = [sorted(query(keys)) for keys in (pks, [], pks[:1])]

    assert found == [[(sites[0].pk, "ABC"), (sites[1].pk, "DEF")], [], [(sites[0].pk, "ABC")]]


def test_other_conditions_may_be_an_in_too():
    sites = [Site.objects.create(code=code, name=code) for code in ("ABC", "DEF")]
    query = QueryByKeys(lambda pks: Site.objects.filter(code__in=["ABC"], pk__in=pks).values_list("code"))

    found = list(query([site.pk for site in sites]))

    assert found == [("ABC",)]


@pytest.mark.services
def test_only_the_keys_may_vary():
    query = QueryByKeys(lambda pks: Site.objects.filter(pk__in=pks, pk__gt=5).values_list("pk"))

    with pytest.raises(TypeError, match="only the keys may vary"):
        query([1])
