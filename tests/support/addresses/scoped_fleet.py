"""A small fleet of several sites, in which each thing has a name of its own that is found in any response."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from tests.support import factories, people
from tests.support.accounts import screens
from tests.support.builders import Fleet
from tests.support.factories import now
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.models import Team, User, WallScreen
from tms.accounts.people.service_accounts import services as services_of_programs
from tms.accounts.roles import built_in
from tms.alerts.actions.approvals import AlertsPayload
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import WindowScope
from tms.alerts.models import Alert, Incident, Rule, Window
from tms.approvals import services as approvals
from tms.approvals.acts import Act
from tms.approvals.gate import propose
from tms.approvals.models import ApprovalRequest
from tms.files.models import TerminalFile
from tms.fleet.models import Device, DeviceTag, Group, Site, Terminal
from tms.inspections.models import Inspection, InspectionResult, Round, RoundMember
from tms.lib.calendar.recurrence import Recurrence
from tms.notifications.models import Delivery, DeliveryItem, Destination, Policy, Rotation, Step
from tms.notifications.models.delivery import GIVE_UP_AFTER, DeliveryState
from tms.notifications.models.rotation import Member
from tms.shifts.models import Note

HOSTILE = "<b>&'\"%s"
"""Follows each name: a name is looked for before it, since pages escape it differently."""


@dataclass(frozen=True)
class Shape:
    """`sites`: the region of each, and its number of terminals. `groups`: numbers of their terminals."""

    sites: tuple[tuple[str, int], ...]
    groups: tuple[frozenset[int], ...]


@dataclass
class ScopedFleet:
    """The rows, and the names by which each is found."""

    sites: list[Site] = field(default_factory=list)
    terminals: list[Terminal] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    owned: list[Any] = field(default_factory=list)
    screens: list[WallScreen] = field(default_factory=list)
    people: list[User] = field(default_factory=list)
    programs: list[User] = field(default_factory=list)
    """Service accounts."""
    teams: list[Team] = field(default_factory=list)
    approvals: list[ApprovalRequest] = field(default_factory=list)
    """Each about a resolved alert of one terminal, which its reason names."""
    files: list[TerminalFile] = field(default_factory=list)
    secrets: dict[WallScreen, str] = field(default_factory=dict)
    """The secrets of the wall screens."""
    scopes: dict[Any, dict[str, Any]] = field(default_factory=dict)
    """The scopes of the grants of people, programs and teams."""
    marks: dict[Any, str] = field(default_factory=dict)
    """Row → a text that no other row has."""

    def mark(self, row: Any) -> str:
        return self.marks[row]


def create_fleet(fleet: Fleet, shape: Shape, person: User) -> ScopedFleet:
    made, numbers = ScopedFleet(), count(10)
    _sites(fleet, shape, made, numbers)
    for members in shape.groups:
        mark = f"zqg{next(numbers)}x"
        group = fleet.group(mark + HOSTILE, *(made.terminals[n] for n in members if n < len(made.terminals)))
        made.groups.append(group)
        made.marks[group] = mark
    for target in ({}, *({"site": site} for site in made.sites), *({"group": group} for group in made.groups)):
        _rule(fleet, made, f"zqr{next(numbers)}x", target)
    _alerts(fleet, made, person)
    _incidents(made)
    _windows(made, numbers, person)
    for owner in _owners(made):
        _owned(made, numbers, owner, person)
        scope = {name.removeprefix("owner_"): row for name, row in owner.items()}
        _screen(made, f"zqv{next(numbers)}x", scope, person)
        _holders(made, numbers, scope, person)
    _deliveries(made)
    Terminal.objects.update(created_at=now(-3_600))
    return made


def _sites(fleet: Fleet, shape: Shape, made: ScopedFleet, numbers: "count[int]") -> None:
    for region, size in shape.sites:
        mark = f"zqs{next(numbers)}"
        site = fleet.site(mark, name=mark + HOSTILE, name_ja=mark + HOSTILE, region=region)
        made.sites.append(site)
        made.marks[site] = mark
        for _ in range(size):
            uid = f"zqt{next(numbers)}x"
            parent = made.terminals[0] if made.terminals else None
            fields = {"label": uid + HOSTILE, "serial": uid, "parent": parent, "metrics": {"temperature_c": 80.0}}
            terminal = fleet.online(uid=uid, site=site, at=now(-60), **fields)
            made.terminals.append(terminal)
            made.marks[terminal] = uid
            _describe_device(terminal, uid)


def _describe_device(terminal: Terminal, mark: str) -> None:
    """The device that serves as the terminal is found by its name, too."""
    device = Device.objects.get(placements__terminal=terminal)
    device.manufacturer, device.model, device.note = mark + HOSTILE, mark + HOSTILE, mark
    device.save()
    DeviceTag.objects.create(device=device, name=mark)


def _rule(fleet: Fleet, made: ScopedFleet, mark: str, target: dict[str, Any]) -> None:
    rule = fleet.metric_rule(name=mark + HOSTILE, name_ja=mark + HOSTILE, severity="critical", **target)
    made.rules.append(rule)
    made.marks[rule] = mark


def _alerts(fleet: Fleet, made: ScopedFleet, person: User) -> None:
    for number, terminal in enumerate(made.terminals):
        alert = factories.alert(fleet, terminal=terminal, rule=made.rules[0], opened_at=now(-300))
        made.alerts.append(
            factories.acknowledged(alert, by=person, comment=made.mark(terminal)) if number % 2 else alert
        )
        done = factories.alert(fleet, terminal=terminal, rule=fleet.event_rule(), opened_at=now(-600))
        _approval(made, factories.resolved(done), person)
        factories.moved(terminal, "silent", "online", at=now(-60))
        sent, mark = fleet.command(terminal, at=now()), made.mark(terminal)
        made.files.append(fleet.file(sent, name=mark + HOSTILE, content=mark.encode(), at=now()))


def _approval(made: ScopedFleet, alert: Alert, person: User) -> None:
    payload = AlertsPayload(action="resolve", alerts=(alert.pk,))
    proposal = propose(Act.ALERTS, payload, by=person, at=now())
    made.approvals.append(approvals.ask(proposal, reason=made.mark(alert.terminal), by=person, at=now()))


def _incidents(made: ScopedFleet) -> None:
    """Make an incident of a model, and one of a site that others were merged into."""
    times = {"opened_at": now(-60), "unchanged_since": now(-60)}
    model = Incident.objects.create(factor="model", key="PX", severity="critical", size=9, lost=2, **times)
    site = made.sites[-1]
    merged = Incident.objects.create(
        factor="site", key=str(site.pk), site=site, severity="critical", size=9, lost=2, site_count=2, **times
    )
    for incident, alerts in ((model, made.alerts[:2]), (merged, made.alerts[2:])):
        Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(incident=incident)
        incident.transitions.create(kind="opened", at=now(-60), number=2, open_count=2, severity="critical")
        made.incidents.append(incident)


def _windows(made: ScopedFleet, numbers: "count[int]", person: User) -> None:
    begin = now(-60).replace(tzinfo=None, microsecond=0)
    recurrence = Recurrence(ZoneInfo("UTC"), begin, timedelta(hours=1), "FREQ=DAILY")
    scopes = [WindowScope(sites=made.sites[:2]), WindowScope(terminals=made.terminals[-1:])]
    for scope in scopes + [WindowScope(groups=[group]) for group in made.groups]:
        mark = f"zqw{next(numbers)}x"
        window = services.plan(recurrence, scope, note=mark + HOSTILE, by=person, at=now(-60))
        made.windows.append(window)
        made.marks[window] = mark


def _owners(made: ScopedFleet) -> list[dict[str, Any]]:
    regions = sorted({site.region for site in made.sites} - {""})
    return [
        {},
        *({"owner_region": region} for region in regions),
        *({"owner_site": site} for site in made.sites),
        *({"owner_group": group} for group in made.groups),
    ]


def _owned(made: ScopedFleet, numbers: "count[int]", owner: dict[str, Any], person: User) -> None:
    def mark(row: Any, text: str) -> Any:
        made.owned.append(row)
        made.marks[row] = text
        return row

    names = [f"zq{kind}{next(numbers)}x" for kind in "dponi"]
    hook = mark(
        Destination.objects.create(name=names[0] + HOSTILE, kind="email", address="noc@example.com", **owner), names[0]
    )
    policy = mark(Policy.objects.create(name=names[1] + HOSTILE, **owner), names[1])
    rotation = mark(
        Rotation.objects.create(name=names[2] + HOSTILE, starts_on=date(2026, 11, 23), handover_at="09:00", **owner),
        names[2],
    )
    Member.objects.create(rotation=rotation, position=0, person=person)
    step = Step.objects.create(policy=policy, position=0)
    step.destinations.add(hook)
    step.rotations.add(rotation)
    mark(Note.objects.create(by=person, at=now(-30), text=names[3] + HOSTILE, **owner), names[3])
    values = {"due_on": date(2099, 12, 31), "started_at": now(-600), **owner}
    chosen = mark(Round.objects.create(name=names[4] + HOSTILE, **values), names[4])
    # Whatever it is for: the terminals of a group may have left it since.
    _inspect(chosen, made.terminals, person)


def _inspect(chosen: Round, terminals: list[Terminal], person: User) -> None:
    """Every second terminal was inspected."""
    for number, terminal in enumerate(terminals):
        stamps = {"at": now(-300), "received_at": now(-300), "key": uuid4(), "by": person}
        result = InspectionResult.SERIAL_DIFFERS
        found = (
            Inspection.objects.create(round=chosen, terminal=terminal, result=result, **stamps) if number % 2 else None
        )
        RoundMember.objects.create(round=chosen, terminal=terminal, due_on=chosen.due_on, current=found)


def _screen(made: ScopedFleet, mark: str, scope: dict[str, Any], person: User) -> None:
    screen, secret = screens.paired(mark + HOSTILE, by=person, **scope)
    made.screens.append(screen)
    made.secrets[screen], made.marks[screen] = secret, mark


def _holders(made: ScopedFleet, numbers: "count[int]", scope: dict[str, Any], person: User) -> None:
    """A person, a program and a team with a grant for this scope."""
    names = [f"zq{kind}{next(numbers)}x" for kind in "hkm"]
    holder = people.person(names[0], of=None, last_name=names[0])
    people.grant(holder, "Operator", **scope)
    program = services_of_programs.create(names[1], role=built_in("Viewer"), scope=GrantScope(**scope), by=person)
    team = Team.objects.create(name=names[2])
    people.grant_team(team, "Viewer", **scope)
    team.members.add(holder)
    made.people.append(holder)
    made.programs.append(program)
    made.teams.append(team)
    for row, name in zip((holder, program, team), names, strict=True):
        made.marks[row], made.scopes[row] = name, scope


def _deliveries(made: ScopedFleet) -> None:
    """One about each alert, to the destination of everyone."""
    hook = next(row for row in made.owned if isinstance(row, Destination))
    for alert in made.alerts:
        mark = made.mark(alert.terminal)
        sent = Delivery.objects.create(
            key=f"k-{alert.pk}",
            destination=hook,
            kind="opened",
            language="en",
            state=DeliveryState.DEAD,
            created_at=now(),
            due_at=now(),
            give_up_at=now() + GIVE_UP_AFTER,
            content={"title": mark, "lines": [mark]},
            detail=mark,
        )
        DeliveryItem.objects.create(delivery=sent, alert=alert)
        made.deliveries.append(sent)
