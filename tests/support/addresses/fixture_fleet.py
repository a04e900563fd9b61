"""A fleet with one of everything that a page shows, a form changes, an operation names or a list holds.

A new kind of object that has an address is made here, for every test that walks the addresses.
"""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from django.core.files.base import ContentFile

from tests.support import factories, people
from tests.support.accounts import screens
from tests.support.artifacts import make_artifact, make_key
from tests.support.builders import Fleet
from tests.support.factories import now
from tests.support.notifications.destinations import webhook_destination
from tms.accounts import api_tokens
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.factors import services as factors
from tms.accounts.factors import totp
from tms.accounts.models import AuditEntry, GroupMapping, IdentityProvider, Invitation, Role, Team, User
from tms.accounts.people.service_accounts import services as service_accounts
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import WindowScope
from tms.alerts.models import Alert, Rule
from tms.alerts.models.factor import Factor
from tms.alerts.models.maintenance import Window
from tms.approvals import services as approvals
from tms.approvals.acts import Act
from tms.approvals.gate import propose
from tms.approvals.models import ApprovalRequest
from tms.commands.approvals import CommandPayload
from tms.commands.models import CommandDefinition
from tms.configuration import delivery, versions
from tms.configuration.models import ConfigurationKey, Layer
from tms.configuration.places import Place
from tms.fleet.enrolment import tokens as enrolment
from tms.fleet.models import Attribute, Device, EnrolmentToken, Region, SavedView, Terminal, UnexpectedDevice
from tms.fleet.models.node import Node
from tms.fleet.regions.services import create_region
from tms.inspections.models import Inspection, InspectionResult, Round, RoundMember
from tms.jobs.services import JobValues, create_job
from tms.lib.calendar.recurrence import Occurrence, Recurrence
from tms.lib.hashing import hash_token
from tms.notifications.models.delivery import GIVE_UP_AFTER, Delivery, DeliveryState
from tms.notifications.models.destination import Destination
from tms.notifications.models.digest_plan import DigestPlan
from tms.notifications.models.policy import Policy, Step
from tms.notifications.models.report_plan import ReportPlan
from tms.notifications.models.rotation import Cover, Member, Rotation
from tms.rollouts.models import Rollout, RolloutItem, Wave, WaveKind
from tms.shifts.models import Note
from tms.transfer.edits import planning
from tms.transfer.edits.planning import EditTarget
from tms.transfer.kinds.edits import Edit, EditKind
from tms.transfer.kinds.registry import KINDS
from tms.transfer.planning import check_file

TOPIC = "arn:aws:sns:ap-northeast-1:123456789012:tms"


def create_rows(fleet: Fleet, person: User) -> dict[str, str]:
    """Create one of everything. Returns the last value in a URL, by the path before it."""
    terminal = fleet.online(uid="T-1", parent=fleet.terminal(uid="R-1"), metrics={"temperature_c": 70.0})
    note = Note.objects.create(by=person, at=now(-60), text="Quiet night")
    group = fleet.group("Lobby", terminal)
    _history(fleet, terminal)
    _behind_pages(terminal, person)
    made: dict[str, Any] = {
        "/sites/": terminal.site.code,
        "/regions/": create_region("Hokkaido", name_ja="北海道").pk,
        "/terminals/": terminal.uid,
        f"/terminals/{terminal.uid}/keys/": terminal.credentials.get().pk,
        f"/terminals/{terminal.uid}/unexpected/": _unexpected(terminal).pk,
        "/enrol/": terminal.uid,
        "/enrol/tokens/": EnrolmentToken.objects.get().pk,
        "/alerts/": _alert(fleet, terminal, person).pk,
        "/incidents/": factories.incident(fleet, "OSK").pk,
        "/rules/": _rule(fleet).pk,
        "/maintenance/": _window(terminal, person).pk,
        "/approvals/": _approval(terminal, person).pk,
        "/correlation/": Factor.SITE.value,
        "/rule-correlation/": Factor.SITE.value,
        "/digest/notes/": note.pk,
        "/notes/": note.pk,
        "/icon-": 192,
        "/import/": _import(terminal, person),
        "/terminals/edit/": "tag",
        "/terminals/edits/": _edit(terminal, person),
        "/jobs/": _job(person),
        **_changes(terminal, person),
        "/import/template/": "sites",
        "/export/": "sites",
        "/me/security/": _factor(person),
        **_of_fleet(terminal),
        "/groups/": group.pk,
        "/views/": SavedView.objects.create(by=person, name="Kiosks", query="kind:kiosk", is_shared=True).pk,
        "/commands/": CommandDefinition.objects.create(name="test_page", label="Print a test page").name,
        "/files/": fleet.file(fleet.command(terminal, at=now()), content=b"started", at=now()).pk,
        "/labels/": "terminal",
        "/labels/terminal/": terminal.pk,
        "/labels/attributes/": "floor",
        "/attributes/": Attribute.objects.create(name="floor", label="Floor").name,
        **_inspections(terminal, person),
        **_notifications(person),
        **_access(person),
    }
    return {path: str(name) for path, name in made.items()}


def _changes(terminal: Terminal, person: User) -> dict[str, Any]:
    """Artifacts, rollouts and the configuration."""
    key = make_key().pk
    return {
        "/artifacts/": make_artifact().pk,
        "/artifacts/keys/": key,
        "/signing-keys/": key,
        **_rollout(terminal, person),
        **_configuration(terminal),
    }


def _of_fleet(terminal: Terminal) -> dict[str, int]:
    """A region without sites, a spare device, and one that connected as the terminal without being placed there."""
    key = terminal.credentials.order_by("pk")[0]
    unexpected = UnexpectedDevice.objects.create(
        terminal=terminal, serial="X-9", credential=key, first_seen_at=now(-60), last_seen_at=now(-30)
    )
    token = enrolment.make_token(enrolment.TokenLimits(terminal.site, name="Spring"), by=None, at=now())
    return {
        "/regions/": Region.objects.create(name="Kyushu").pk,
        "/devices/": Device.objects.create(serial="S-1", model="KX-21").pk,
        "/unexpected-devices/": unexpected.pk,
        "/enrolment-tokens/": EnrolmentToken.objects.get(digest=hash_token(token)).pk,
        f"/terminals/{terminal.uid}/keys/": key.pk,
    }


def _inspections(terminal: Terminal, person: User) -> dict[str, Any]:
    """A round and an inspection with the same number: pages and the API have the same path before them."""
    # A number that no sequence reaches: the requests of the tests make rows, too.
    chosen = Round.objects.create(
        pk=7_001, name="Q4", due_on=date(2099, 12, 31), started_by=person, started_at=now(-600)
    )
    found = Inspection.objects.create(
        pk=chosen.pk,
        round=chosen,
        terminal=terminal,
        result=InspectionResult.LOOKS_TAMPERED,
        seals=[{"number": "A-20418", "where": "back", "intact": False}],
        photo=ContentFile(b"picture", "photo.png"),
        by=person,
        at=now(-300),
        received_at=now(-300),
        key=uuid4(),
    )
    RoundMember.objects.create(round=chosen, terminal=terminal, due_on=chosen.due_on, current=found)
    paths = ("/inspections/", "/inspections/rounds/", "/inspections/results/", "/inspections/photos/")
    rows = dict.fromkeys((*paths, "/inspection-rounds/"), chosen.pk)
    return {**rows, f"/inspections/{chosen.pk}/": terminal.uid}


def _rollout(terminal: Terminal, person: User) -> dict[str, int]:
    """A draft with a wave."""
    made = Rollout.objects.create(
        name="Kiosk firmware",
        query="kind:kiosk",
        started_by=person,
        created_at=now(-60),
        starts_at=now(600),
        until=now(86_400),
    )
    wave = Wave.objects.create(rollout=made, number=1, kind=WaveKind.REST)
    RolloutItem.objects.create(rollout=made, wave=wave, terminal=terminal, not_before=now())
    return {"/rollouts/": made.pk, f"/rollouts/{made.pk}/waves/": wave.number}


def _import(terminal: Terminal, person: User) -> int:
    """A file that changes a terminal, and was not applied yet."""
    text = f"uid,label\n{terminal.uid},Lane 1\n"
    made = check_file(KINDS["terminals"], name="lanes.csv", data=text.encode(), by=person, at=now(-30))
    return made.pk


def _edit(terminal: Terminal, person: User) -> int:
    """A bulk edit of one terminal, which was not applied yet."""
    edit, target = Edit(EditKind.TAG, tags=("pilot",)), EditTarget(None, [terminal.uid])
    return planning.store(planning.plan(edit, target, by=person, at=now(-30)), by=person, at=now(-30)).pk


def _job(person: User) -> int:
    """One that has not started yet."""
    values = JobValues("Ping", "ping", Occurrence(now(), now(3600)), query="kind:kiosk")
    return create_job(values, by=person, at=now()).pk


def _configuration(terminal: Terminal) -> dict[str, Any]:
    """A key without values, a draft that changes another one, and a terminal that can be configured."""
    delivery.note_boots([delivery.BootReport(terminal.pk, 0)], at=now(-30))
    key = ConfigurationKey.objects.create(name="display.brightness")
    density = ConfigurationKey.objects.create(name="printer.density")
    first = versions.edit([versions.ValueEdit(density, Place(Layer.FLEET), 4)], by=None, at=now(-30))
    versions.fix(first, by=None, at=now(-20))
    draft = versions.edit([versions.ValueEdit(density, Place(Layer.FLEET), 5)], by=None, at=now(-10))
    return {"/configuration/keys/": key.name, "/configuration/versions/": draft.number}


def _factor(person: User) -> int:
    """An authenticator app."""
    factors.add(person, Authenticator.Type.TOTP, totp.data_of(totp.new_secret(), 0))
    return int(Authenticator.objects.get(user=person, type=Authenticator.Type.TOTP).pk)


def _approval(terminal: Terminal, person: User) -> ApprovalRequest:
    payload = CommandPayload(terminal=terminal.pk, name="reboot", answer_within_s=30, deliver_within_s=60)
    proposal = propose(Act.COMMAND, payload, by=person, at=now())
    return approvals.ask(proposal, reason="card reader hangs", by=person, at=now())


def _unexpected(terminal: Terminal) -> UnexpectedDevice:
    seen = {"first_seen_at": now(-60), "last_seen_at": now()}
    return UnexpectedDevice.objects.create(terminal=terminal, serial="KX21-7", expected_serial="KX21-1", **seen)


def _history(fleet: Fleet, terminal: Terminal) -> None:
    factories.report(terminal, 1, at=now(-60), metrics={"temperature_c": 70.0})
    factories.event(terminal, "reader_fault", text="Jammed")
    factories.moved(terminal, "silent", "online", at=now(-60))
    fleet.command(terminal, at=now())
    over = factories.alert(fleet, terminal=terminal, rule=fleet.event_rule("door_open"), opened_at=now(-600))
    factories.resolved(over)


def _behind_pages(terminal: Terminal, person: User) -> None:
    """Objects without an address of their own."""
    Node.objects.create(name="node-1", started_at=now(-60), heartbeat_at=now())
    enrolment.make_token(enrolment.TokenLimits(terminal.site), by=person, at=now())
    api_tokens.issue(person, name="script", at=now())
    AuditEntry.objects.create(via="page", action="changed", subject_type="x", subject_id="1", subject_name="x")


def _alert(fleet: Fleet, terminal: Terminal, person: User) -> Alert:
    rule = fleet.event_rule(may_be_resolved_by_hand=True)
    acknowledged_alert = factories.alert(fleet, terminal=terminal, rule=rule, opened_at=now(-300))
    return factories.acknowledged(acknowledged_alert, by=person, comment="On my way")


def _rule(fleet: Fleet) -> Rule:
    fleet.presence_rule(severity="critical")
    fleet.clock_rule()
    fleet.firmware_rule()
    return fleet.metric_rule(higher_thresholds=[{"severity": "critical", "limit": 90.0}])


def _window(terminal: Terminal, person: User) -> Window:
    recurrence = Recurrence(
        ZoneInfo("UTC"), now(-60).replace(tzinfo=None, microsecond=0), timedelta(hours=1), "FREQ=DAILY"
    )
    return services.plan(recurrence, WindowScope(terminals=[terminal]), note="New firmware", by=person, at=now())


def _access(person: User) -> dict[str, int]:
    """A service account with a token, which was also invited as a person: every page has something to show."""
    role = Role.objects.create(name="Station staff", permissions=["handle_alerts"])
    team = Team.objects.create(name="Night shift")
    account = service_accounts.create("Warehouse export", role=role, scope=GrantScope(), by=person)
    Invitation.objects.create(
        person=account, digest="x", created_by=person, created_at=now(), expires_at=now(3_600), sent_at=now()
    )
    team.members.add(account)
    screen, _secret = screens.paired("NOC Tokyo", by=person)
    token, _secret = api_tokens.issue(account, name="production", at=now())
    provider = IdentityProvider.objects.create(
        name="Company account", slug="company", issuer="https://127.0.0.1", client_id="tms"
    )
    mapping = GroupMapping.objects.create(provider=provider, value="noc", role=role)
    return {
        "/people/": account.pk,
        "/people/teams/": team.pk,
        "/people/screens/": screen.pk,
        f"/people/teams/{team.pk}/members/": account.pk,
        "/people/grants/": people.grant(person).pk,
        "/people/tokens/": token.pk,
        "/roles/": role.pk,
        "/people/identity-providers/": provider.pk,
        f"/people/identity-providers/{provider.pk}/mappings/": mapping.pk,
        "/identity-providers/": provider.pk,
        f"/identity-providers/{provider.pk}/mappings/": mapping.pk,
        "/sign-in/provider/": provider.slug,
        "/providers/": provider.slug,
    }


def _notifications(person: User) -> dict[str, int]:
    hook = webhook_destination("https://hooks.example.com/", person=person)
    for kind, address in (("email", "noc@example.com"), ("sns", TOPIC)):
        Destination.objects.create(kind=kind, name=kind, address=address)
    rotation = Rotation.objects.create(name="Nights", starts_on=date(2026, 11, 23), handover_at="09:00")
    Member.objects.create(rotation=rotation, position=0, person=person)
    cover = Cover.objects.create(rotation=rotation, person=person, since=now(), until=now(3_600))
    policy = Policy.objects.create(name="All")
    Step.objects.create(policy=policy, position=0).destinations.add(hook)
    plan = DigestPlan.objects.create(
        destination=hook, times="06:00", time_zone="Asia/Tokyo", covered_until=now(), next_at=now(3_600)
    )
    report_plan = ReportPlan.objects.create(destination=hook, customer="Customer", next_at=now(3_600))
    sent = Delivery.objects.create(
        key="k",
        destination=hook,
        kind="opened",
        language="en",
        state=DeliveryState.DEAD,
        created_at=now(),
        due_at=now(),
        give_up_at=now() + GIVE_UP_AFTER,
    )
    return {
        "/destinations/": hook.pk,
        "/policies/": policy.pk,
        "/rotations/": rotation.pk,
        f"/rotations/{rotation.pk}/covers/": cover.pk,
        "/deliveries/": sent.pk,
        "/digest/plans/": plan.pk,
        "/availability/mail/plans/": report_plan.pk,
    }
