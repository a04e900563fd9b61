"""The terminals, and the current state of each."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count, cycle, islice
from random import Random
from typing import NamedTuple

from benchmarks.fixture_fleet.site_names import shops
from benchmarks.running.fleet import digest
from tms.fleet.models import Cause, Credential, Presence, Site, Status, Terminal, TerminalKind, TerminalState

CHUNK = 5_000
LEASE = timedelta(seconds=45)
SIZES = (1, 1, 2, 1, 4, 1, 2, 1, 8, 3)
"""Relative sizes of consecutive sites."""


class DeviceModel(NamedTuple):
    kind: TerminalKind
    mark: str
    model: str
    firmware: str
    label: str


DEVICE_MODELS = (
    DeviceModel(TerminalKind.PAYMENT, "P", "PX-310", "2.14.1", "Counter"),
    DeviceModel(TerminalKind.PAYMENT, "P", "PX-300", "2.13.4", "Counter"),
    DeviceModel(TerminalKind.KIOSK, "K", "KX-21", "4.8.2", "Kiosk"),
    DeviceModel(TerminalKind.GATE, "G", "GT-7", "7.1.0", "Gate"),
    DeviceModel(TerminalKind.SIGNAGE, "S", "SG-55", "1.20.0", "Screen"),
)
PRESENCE_SHARES = {
    (Presence.ONLINE, Cause.NONE): 974,
    (Presence.OFFLINE, Cause.DID_NOT_RETURN): 10,
    (Presence.SILENT, Cause.LEASE_RAN_OUT): 4,
    (Presence.REBOOTING, Cause.REBOOT): 3,
    (Presence.CLOSED, Cause.CLOSING): 5,
    (Presence.NEVER, Cause.NONE): 4,
}
"""The shares of states, in thousandths of the fleet."""
STATUSES = {Status.OK: 980, Status.DEGRADED: 15, Status.FAULT: 5}


def make_sites(number: int) -> list[Site]:
    return Site.objects.bulk_create(Site(**index._asdict()) for index in islice(shops(), number))


def make_terminals(number: int, sites: Sequence[Site]) -> list[Terminal]:
    made = Terminal.objects.bulk_create(islice(_terminals(sites), number), CHUNK)
    Credential.objects.bulk_create(
        (Credential(terminal=terminal, digest=digest(terminal.uid)) for terminal in made), CHUNK
    )
    return made


def make_states(terminals: Sequence[Terminal], *, at: datetime, chance: Random) -> list[TerminalState]:
    dark = {terminals[0].site_id}
    """A site that has lost its link as a whole."""
    states = [_state(terminal, at=at, chance=chance, is_dark=terminal.site_id in dark) for terminal in terminals]
    return TerminalState.objects.bulk_create(states, CHUNK)


def _terminals(sites: Sequence[Site]) -> Iterator[Terminal]:
    """Round robin over the sites; several at a time for large ones."""
    numbers = {site.code: count(1) for site in sites}
    for size in cycle(range(1, max(SIZES) + 1)):
        for index, site in enumerate(sites):
            if SIZES[index % len(SIZES)] >= size:
                yield _terminal(site, next(numbers[site.code]))


def _terminal(site: Site, number: int) -> Terminal:
    make = DEVICE_MODELS[number % len(DEVICE_MODELS)]
    return Terminal(
        uid=f"{site.code}-{make.mark}-{number:03}",
        site=site,
        kind=make.kind,
        label=f"{make.label} {number}",
        serial=f"{make.mark}{site.pk:05}{number:05}",
        model=make.model,
        firmware=make.firmware,
        agent="tms-agent 0.1.0",
        address=f"10.{site.pk // 250}.{site.pk % 250}.{number % 250}",
    )


def _state(terminal: Terminal, *, at: datetime, chance: Random, is_dark: bool) -> TerminalState:
    presence, cause = _drawn(PRESENCE_SHARES, chance)
    if is_dark and chance.random() < 0.9:
        presence, cause = Presence.OFFLINE, Cause.DID_NOT_RETURN
    if presence == Presence.NEVER:
        return TerminalState(terminal=terminal)
    since = at - timedelta(minutes=chance.uniform(1, 10 if is_dark else 1_400))
    is_online = presence == Presence.ONLINE
    return TerminalState(
        terminal=terminal,
        presence=presence,
        presence_at=since,
        cause=cause,
        back_at=at + timedelta(minutes=30) if presence in (Presence.REBOOTING, Presence.CLOSED) else None,
        due_at=at + LEASE if is_online else None,
        lease_at=at + LEASE if is_online else None,
        last_seen_at=at - timedelta(seconds=chance.uniform(0, 30)) if is_online else since,
        session=1,
        node="a" if is_online else "",
        boot_id="boot-1",
        seq=100,
        status=_drawn(STATUSES, chance),
        status_at=since,
        metrics={
            "temperature_c": round(chance.gauss(42, 5), 1),
            "cpu_pct": round(chance.uniform(3, 60), 1),
            "link_rtt_ms": round(chance.uniform(8, 90), 1),
            "paper_pct": round(chance.uniform(5, 100)),
        },
    )


def _drawn[Name](weights: dict[Name, int], chance: Random) -> Name:
    return chance.choices(list(weights), list(weights.values()))[0]
