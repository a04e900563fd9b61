"""New keys for all terminals of a site at once."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from tms.accounts.audit import recorder
from tms.fleet.credentials import services
from tms.fleet.lifecycle import CONNECTING
from tms.fleet.models import Credential, Site, Terminal
from tms.protocol.credential import PlainCredential


def terminals_with_keys(site: Site, *, at: datetime) -> QuerySet[Terminal]:
    """Terminals of the site that can connect now."""
    keys = Credential.objects.valid(at).filter(terminal__site=site)
    rows = Terminal.objects.filter(pk__in=keys.values("terminal"), lifecycle__in=CONNECTING)
    return rows.order_by("uid")


@transaction.atomic
def rotate_site(site: Site, *, at: datetime, overlap: timedelta) -> list[PlainCredential]:
    """A new key for each terminal of the site that has one. The keys until now expire after `overlap`."""
    issued = [services.rotate(terminal, at=at, overlap=overlap) for terminal in terminals_with_keys(site, at=at)]
    recorder.record(
        "keys-rotated", site, {"terminals": (None, len(issued)), "until": (None, (at + overlap).isoformat())}
    )
    return issued
