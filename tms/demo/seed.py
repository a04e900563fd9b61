"""Fills an empty TMS with a demo fleet, once. Existing data is not changed."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, time
from itertools import count, cycle, islice
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from tms.accounts.models import Grant, User
from tms.accounts.roles import built_in
from tms.demo import seed_file
from tms.demo.checks import refuse_production
from tms.demo.commands import seed_commands
from tms.demo.people import PEOPLE
from tms.demo.releases import seed_releases
from tms.demo.seed_file import DemoTerminal, Fleet
from tms.demo.sites import CONTACTS, MAKES, SITES, DemoSite
from tms.demo.week.past_rollouts import seed_rollouts
from tms.demo.week.week import seed_week
from tms.fleet.credentials import services
from tms.fleet.enrolment.tokens import UID_MARKS
from tms.fleet.models import (
    Credential,
    Device,
    DeviceState,
    Placement,
    Region,
    Site,
    SiteContact,
    Terminal,
    TerminalKind,
    TerminalState,
)
from tms.fleet.models.opening_hours import OpeningHours
from tms.lib.hashing import hash_token

ROLE = "Administrator"
HERE = "HERE"
"""Code of the site of the machine that TMS runs on."""


def seed(terminals: int, *, path: Path, machine: str) -> Fleet:
    """Create what is missing of a fleet of `terminals`, and store its credentials at `path` for the simulator.

    `machine` names the computer TMS runs on, which is a terminal too. Raises CommandError in production.
    """
    refuse_production()
    with transaction.atomic():
        fleet = _still_enrolled(seed_file.read(path))
        _seed_people()
        seed_commands()
        sites = _seed_sites()
        if not fleet.this_machine:
            fleet.this_machine = _enrol_machine(machine)
        missing = terminals - len(fleet.terminals)
        if missing > 0:
            fleet.terminals += _enrol(missing, sites)
        by = User.objects.get(username=PEOPLE[0].username)
        by_code = {code: site.pk for code, site in sites.items()}
        if keys := seed_releases(by, by_code, folder=path.parent, at=datetime.now(UTC)):
            fleet.update_keys = keys
        if start_conditions := seed_week(fleet.terminals, [one.username for one in PEOPLE], at=datetime.now(UTC)):
            fleet.start_conditions = dict(start_conditions)
            enrolled = Terminal.objects.filter(uid__in=[one.uid for one in fleet.terminals])
            seed_rollouts(list(enrolled.select_related("site").order_by("pk")), by, at=datetime.now(UTC))
        seed_file.write(path, fleet)
    return Fleet(fleet.terminals[:terminals], fleet.this_machine)


def _still_enrolled(fleet: Fleet) -> Fleet:
    """Terminals in both the file and the database, because either may have been deleted."""
    known = set(Terminal.objects.values_list("uid", flat=True))
    machine = fleet.this_machine if fleet.this_machine.partition(".")[0] in known else ""
    terminals = [terminal for terminal in fleet.terminals if terminal.uid in known]
    return Fleet(terminals, machine, fleet.start_conditions, fleet.update_keys)


def _seed_people() -> None:
    """Administrators of everything."""
    for one in PEOPLE:
        if not User.objects.filter(username=one.username).exists():
            person = User.objects.create_user(**one._asdict())
            Grant.objects.create(person=person, role=built_in(ROLE))


def _seed_sites() -> dict[str, Site]:
    _seed_regions({demo_site.region for demo_site in SITES})
    for demo_site in SITES:
        site, is_new = Site.objects.get_or_create(
            code=demo_site.code,
            defaults={"name": demo_site.name, "name_ja": demo_site.name_ja, "region": demo_site.region},
        )
        if is_new:
            _set_up(site, demo_site)
    return {site.code: site for site in Site.objects.all()}


def _seed_regions(names: set[str]) -> None:
    """Load the regions of Japan once: loading them again would reset their Japanese names."""
    if not Region.objects.filter(name__in=names).exists():
        call_command("loaddata", settings.BASE_DIR / "fixtures/initial_data.json", verbosity=0)
    Region.objects.bulk_create((Region(name=name) for name in names), ignore_conflicts=True)


def _set_up(site: Site, demo_site: DemoSite) -> None:
    """Its opening hours and contacts."""
    opens, closes = time.fromisoformat(demo_site.opens), time.fromisoformat(demo_site.closes)
    OpeningHours.objects.bulk_create(
        OpeningHours(site=site, weekday=weekday, opens_at=opens, closes_at=closes) for weekday in range(7)
    )
    SiteContact.objects.bulk_create(
        SiteContact(site=site, position=position, **contact._asdict()) for position, contact in enumerate(CONTACTS)
    )


def _enrol_machine(machine: str) -> str:
    site, _ = Site.objects.get_or_create(code=HERE, defaults={"name": "This machine", "name_ja": "このマシン"})
    uid = machine if not Terminal.objects.filter(uid=machine).exists() else f"{machine}-{secrets.token_hex(2)}"
    terminal = Terminal(uid=uid, site=site, kind=TerminalKind.COMPUTER, label="The computer TMS runs on")
    return str(services.enrol(terminal))


def _enrol(number: int, sites: dict[str, Site]) -> list[DemoTerminal]:
    """Set-based, because 5,000 terminals must not take a minute."""
    used = set(Terminal.objects.values_list("uid", flat=True))
    made = list(islice(_new_terminals(sites, used), number))
    Terminal.objects.bulk_create(terminal for terminal, _ in made)
    TerminalState.objects.bulk_create(TerminalState(terminal=terminal) for terminal, _ in made)
    devices = _place_devices([terminal for terminal, _ in made])
    keys = [secrets.token_urlsafe(32) for _ in made]
    Credential.objects.bulk_create(
        Credential(terminal=terminal, device=device, digest=hash_token(key))
        for (terminal, _), device, key in zip(made, devices, keys, strict=True)
    )
    return [
        DemoTerminal(
            uid=terminal.uid,
            site=terminal.site.code,
            kind=terminal.kind,
            model=terminal.model,
            firmware=firmware,
            serial=terminal.serial,
            credential=f"{terminal.uid}.{key}",
        )
        for (terminal, firmware), key in zip(made, keys, strict=True)
    ]


def _place_devices(terminals: list[Terminal]) -> list[Device]:
    """Devices stay when people delete their terminal, and serve again."""
    stored = Device.objects.filter(serial__in=[terminal.serial for terminal in terminals])
    known = {device.serial: device for device in stored}
    new = Device.objects.bulk_create(
        Device(serial=terminal.serial, model=terminal.model, state=DeviceState.IN_SERVICE, site=terminal.site)
        for terminal in terminals
        if terminal.serial not in known
    )
    known |= {device.serial: device for device in new}
    devices = [known[terminal.serial] for terminal in terminals]
    Placement.objects.bulk_create(
        Placement(device=device, terminal=terminal, began_at=terminal.created_at)
        for device, terminal in zip(devices, terminals, strict=True)
    )
    return devices


def _new_terminals(sites: dict[str, Site], used: set[str]) -> Iterator[tuple[Terminal, str]]:
    """Distributes terminals over the sites one by one, in the proportions of each site."""
    rounds = [_terminals_of(demo_site, sites[demo_site.code], used) for demo_site in SITES]
    for terminals in cycle(rounds):
        yield next(terminals)


def _terminals_of(demo_site: DemoSite, site: Site, used: set[str]) -> Iterator[tuple[Terminal, str]]:
    numbers = {kind: count(1) for kind in demo_site.kinds}
    for kind in cycle(demo_site.kinds):
        number = next(numbers[kind])
        uid = f"{demo_site.code}-{UID_MARKS[kind]}-{number:02}"
        if uid in used:
            continue
        make = MAKES[kind]
        which = -1 if number % 5 else 0  # most are alike, so that a rollout finds many to compare with
        firmware = make.firmware[which]
        yield (
            Terminal(
                uid=uid,
                site=site,
                kind=kind,
                label=f"{make.label} {number}",
                model=make.models[which],
                firmware=firmware,
                serial=f"{demo_site.code}{number:05}{UID_MARKS[kind]}",
            ),
            firmware,
        )
