"""Regions: rows that sites, grants, owners and screens refer to by name."""

import pytest
from django.apps import apps

from tests.support.people import grant
from tms.accounts import access
from tms.accounts.models import User
from tms.accounts.scope.region_field import RegionField
from tms.fleet.models import Region, Site
from tms.fleet.regions import services
from tms.fleet.regions.services import RegionInUse
from tms.fleet.sites.services import SiteValues, UnknownRegion, create_site

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def test_every_column_of_a_region_is_renamed_with_it():
    named = [
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if "region" in field.name and not field.is_relation and not isinstance(field, RegionField)
    ]

    assert named == []


def test_renaming_a_region_keeps_the_access_of_people(fleet):
    region = services.create_region("Kanto", name_ja="関東")
    site = fleet.site("SJK", region="Kanto")
    person = fleet.person()
    grant(person, "Operator", region="Kanto")

    services.edit_region(region, name="Greater Tokyo", name_ja="首都圏")

    site.refresh_from_db()
    assert site.region == "Greater Tokyo"
    assert list(access.visible(Site.objects.all(), to=User.objects.get(pk=person.pk))) == [site]


def test_a_region_in_use_is_not_deleted(fleet):
    region = services.create_region("Kanto")
    fleet.site("SJK", region="Kanto")

    with pytest.raises(RegionInUse, match="1 "):
        services.delete_region(region)

    Site.objects.update(region="")
    services.delete_region(region)
    assert not Region.objects.exists()


def test_a_site_is_created_in_a_region_that_exists():
    services.create_region("Kanto")

    site = create_site(SiteValues("SJK", "Shinjuku South", region="Kanto"))

    assert site.region == "Kanto"
    with pytest.raises(UnknownRegion):
        create_site(SiteValues("UMD", "Umeda", region="Kansai"))
