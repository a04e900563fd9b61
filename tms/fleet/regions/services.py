"""Services for regions. Every column of `RegionField` refers to a region by its name."""

from collections.abc import Iterator

from django.apps import apps
from django.db import models, transaction
from django.dispatch import Signal

from tms.accounts.audit import recorder
from tms.accounts.scope.region_field import RegionField
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Region

region_renamed = Signal()
"""`before` and `after`, the names; sent in the transaction, for texts that are no `RegionField`."""


class RegionInUse(Exception):
    """Rows refer to the region; `by` has the number of each kind, by its verbose name."""

    code = "tms:region-in-use"

    def __init__(self, by: dict[str, int]) -> None:
        super().__init__("used by " + ", ".join(f"{number} {name}" for name, number in by.items()))
        self.by = by


def create_region(name: str, *, name_ja: str = "") -> Region:
    """The region must not exist yet: IntegrityError."""
    region = Region(name=name, name_ja=name_ja)
    with recorder.change(region):
        region.save(force_insert=True)
    return region


@transaction.atomic
def edit_region(region: Region, *, name: str, name_ja: str) -> None:
    """Rename the region everywhere at once, so that nobody gains or loses access."""
    stored = Region.objects.select_for_update().get(pk=region.pk)
    before = stored.name
    with recorder.change(stored):
        stored.name, stored.name_ja = name, name_ja
        stored.save()
    if stored.name != before:
        for model, column in columns():
            model._base_manager.filter(**{column: before}).update(**{column: stored.name})
        region_renamed.send(Region, before=before, after=stored.name)
    region.name, region.name_ja = stored.name, stored.name_ja
    publish(Change(everything=True, rules=True))


@transaction.atomic
def delete_region(region: Region) -> None:
    """Raises RegionInUse."""
    Region.objects.select_for_update().get(pk=region.pk)
    if used := uses_of(region):
        raise RegionInUse(used)
    recorder.record("deleted", region)
    region.delete()


def uses_of(region: Region) -> dict[str, int]:
    """How many rows of each kind refer to the region."""
    counts = (
        (str(model._meta.verbose_name_plural), model._base_manager.filter(**{column: region.name}).count())
        for model, column in columns()
    )
    return {name: number for name, number in counts if number}


def columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every model and column that refers to regions."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, RegionField):
                yield model, field.name
