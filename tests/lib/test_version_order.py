"""The order of versions, in Python and in the database."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tms.fleet.models import Site
from tms.lib.db.version_order import VersionKey, version_key

ORDERED = ("rc1", "", "4.8-beta", "4.8-rc1", "4.8-rc2", "4.8", "4.8.1-rc1", "4.8.1", "4.9", "4.10", "5")


def test_versions_sort_as_people_read_them():
    assert sorted(ORDERED, key=version_key) == list(ORDERED)


@pytest.mark.parametrize(("one", "other"), [("4.8", "4.8.0"), ("v4.8", "4.8"), ("4.08", "4.8"), ("4.8-RC1", "4.8rc1")])
def test_versions_are_equal_in_other_spellings(one, other):
    assert version_key(one) == version_key(other)


@pytest.mark.both
@pytest.mark.embedded
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(alphabet="0149.vVrc-+_ K版é", max_size=64) | st.text(max_size=64), min_size=1, max_size=20))
def test_the_database_has_the_same_order(db, versions):
    versions = [version.replace("\0", "") for version in versions]
    rows = [Site(code=str(at), name="Site", address=version) for at, version in enumerate(versions)]
    Site.objects.all().delete()
    Site.objects.bulk_create(rows)

    keys = dict(Site.objects.annotate(key=VersionKey("address")).order_by("key").values_list("code", "key"))

    assert keys == {row.code: version_key(row.address) for row in rows}
    assert list(keys.values()) == sorted(keys.values())
