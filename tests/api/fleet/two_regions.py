"""Two regions with the same things in each, and the people of one of them."""

from collections.abc import Mapping

from tests.support import people
from tests.support.builders import AT, Fleet, now
from tests.support.rest import ApiClient
from tms.accounts.models import User
from tms.fleet.devices.services import DeviceValues, create_device
from tms.fleet.enrolment.tokens import TokenLimits, make_token
from tms.fleet.models import EnrolmentToken, Region, UnexpectedDevice

type Names = Mapping[str, object]
"""What a path or body names of one region: `site`, `terminal`, `other`, `key`, …"""

KANTO, KANSAI = ("Kanto", "SJK"), ("Kansai", "OSK")


def two_regions(fleet: Fleet) -> tuple[Names, Names]:
    return _region(fleet, *KANTO), _region(fleet, *KANSAI)


def _region(fleet: Fleet, region: str, code: str) -> Names:
    site = fleet.site(code, region=region)
    terminal = fleet.terminal(uid=f"{code}-1", site=site, serial=f"S-{code}-1")
    other = fleet.terminal(uid=f"{code}-2", site=site, serial=f"S-{code}-2")
    key = terminal.credentials.get()
    make_token(TokenLimits(site), by=None, at=now())
    unexpected = UnexpectedDevice.objects.create(
        terminal=terminal, serial=f"X-{code}", credential=key, first_seen_at=AT, last_seen_at=AT
    )
    return {
        "region": Region.objects.get(name=region).pk,
        "region_name": region,
        "site": code,
        "terminal": terminal.uid,
        "other": other.uid,
        "key": key.pk,
        "device": create_device(DeviceValues(serial=f"SPARE-{code}", site=site)).pk,
        "token": EnrolmentToken.objects.get(site=site).pk,
        "unexpected": unexpected.pk,
    }


def of_kanto(role: str = "Lead") -> User:
    """Holds a role for the region Kanto, and sees nothing else."""
    chosen = people.person(f"kanto-{role.lower()}", of=None)
    people.grant(chosen, role, region=KANTO[0])
    return chosen


def seeing_all(role: str = "Lead") -> User:
    """Holds a role for the region Kanto, and reads everything."""
    chosen = people.person(f"all-{role.lower()}", of="Viewer")
    people.grant(chosen, role, region=KANTO[0])
    return chosen


def as_person(person: User) -> ApiClient:
    return ApiClient.of(person)
