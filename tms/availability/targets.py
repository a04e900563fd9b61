"""The availability that was agreed for sites."""

from django.db import transaction

from tms.accounts.audit import recorder
from tms.availability.models import AvailabilityTarget
from tms.fleet.models import Site


@transaction.atomic
def set_target(site: Site, percent: float | None) -> None:
    """Set the target of a site. None: the target of this installation applies again. Idempotent."""
    known = AvailabilityTarget.objects.select_for_update().filter(site=site).first()
    before = known.percent if known else None
    if percent == before:
        return
    if percent is None:
        AvailabilityTarget.objects.filter(site=site).delete()
    else:
        AvailabilityTarget.objects.update_or_create(site=site, defaults={"percent": percent})
    recorder.record("changed", site, {"availability_target": (_text(before), _text(percent))})


def _text(percent: float | None) -> str | None:
    return None if percent is None else f"{percent:g}"
