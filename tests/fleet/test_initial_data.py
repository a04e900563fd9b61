"""`loaddata fixtures/initial_data.json`, which the manual of deployment names: the regions of Japan."""

import pytest
from django.core.management import call_command

from tests.support.inventory import ROOT
from tms.fleet.models import Region
from tms.fleet.regions import services

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def load() -> None:
    call_command("loaddata", ROOT / "fixtures/initial_data.json", verbosity=0)


def test_the_regions_of_japan_are_loaded_once_in_both_languages():
    for _ in range(2):
        load()

    names = dict(Region.objects.values_list("name", "name_ja"))
    assert len(names) == Region.objects.count() == 8
    assert names["Kansai"] == "関西"
    assert all(names.values())


def test_a_region_that_exists_stays_the_same_row_and_gets_its_japanese_name(fleet):
    fleet.site("OSK", region="Kansai")
    region = Region.objects.get_or_create(name="Kansai")[0]

    load()

    region.refresh_from_db()
    assert region.name_ja == "関西"
    assert services.uses_of(region) == {"sites": 1}


def test_other_regions_stay():
    services.create_region("Okinawa", name_ja="沖縄")

    load()

    assert Region.objects.get(name="Okinawa").name_ja == "沖縄"
    assert Region.objects.count() == 9
