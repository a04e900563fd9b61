"""A request to each URL that changes something, with the action of its audit entry."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.utils import timezone

from tests.accounts.audit import of_accounts, of_fleet
from tests.accounts.audit.sample import PASSWORD, Sample
from tests.support import people
from tests.support.addresses.routes import Rows
from tests.support.factories import now
from tms.accounts.models import Grant, IdentityProvider, Invitation, ProvisionedTeam, Team, User
from tms.accounts.roles import built_in
from tms.alerts import correlation
from tms.alerts.actions.undo import IncidentsBefore
from tms.alerts.correlation import settings as correlation_settings
from tms.alerts.models import Alert, CorrelationRule, Factor, Incident, Rule, SameRuleCorrelation
from tms.alerts.rule_editing import yaml_file
from tms.boards.rules.forms import RuleForm
from tms.fleet.devices import placements
from tms.fleet.enrolment import tokens as enrolment
from tms.fleet.models import Device, DeviceState, Group, Lifecycle, Site, Terminal, TerminalState
from tms.fleet.sites.services import close_site
from tms.fleet.terminals.lifecycle_changes import retire
from tms.lib.hashing import hash_token
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy
from tms.notifications.models.rotation import Rotation
from tms.notifications.soft_delete import services as soft_delete_services
from tms.transfer import running
from tms.transfer.models import Import

INVITATION = "/invitation/<str:secret>/"


class Sent(NamedTuple):
    """A request that changes something, and the action of its entry."""

    action: str
    data: Mapping[str, Any] | Callable[[], Mapping[str, Any]] = {}
    before: Callable[[], object] = lambda: None


def local(seconds: float) -> str:
    return f"{now(seconds):%Y-%m-%dT%H:%M}"


def pk(model: Any, **fields: Any) -> int:
    return int(model.objects.filter(**fields).order_by("pk").values_list("pk", flat=True)[0])


def delete_first(model: Any) -> Callable[[], object]:
    return lambda: soft_delete_services.delete(model.objects.get(pk=pk(model)), at=now())


def provision_team() -> None:
    team = Team.objects.get(pk=Sample.names["/people/teams/"])
    ProvisionedTeam.objects.create(team=team, created_at=now(), changed_at=now())


def close_sample() -> None:
    site = Site.objects.get(code=Sample.names["/sites/"])
    close_site(site, device_becomes=DeviceState.SPARE, by=None, at=now())


def rule_form() -> dict[str, Any]:
    rule = Rule.objects.get(pk=Sample.names["/rules/"])
    form = RuleForm(rule.kind_object, rule, person=boss())
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in shown.items() if value not in (None, False)} | {"name": "Renamed"}


def correlation_form() -> dict[str, Any]:
    fields = ("within_s", "least", "small_pct", "medium_pct", "large_pct")
    rules = CorrelationRule.in_force().values()
    values = {f"{rule.factor}-{name}": getattr(rule, name) for rule in rules for name in fields}
    same = SameRuleCorrelation.in_force().values()
    values |= {f"rule-{rule.factor}-{name}": getattr(rule, name) for rule in same for name in fields}
    return values | {f"{Factor.SITE.value}-least": 7}


def two_incidents() -> list[int]:
    """That of the sample, and another one."""
    at = now()
    numbers = {"size": 9, "lost": 9, "opened_at": at, "unchanged_since": at}
    other = Incident.objects.create(factor=Factor.MODEL, key="KX-21", severity="critical", **numbers)
    return [int(Sample.names["/incidents/"]), other.pk]


def member() -> int:
    """An alert of the incident of the sample."""
    alert = Alert.objects.unresolved()[0]
    Alert.objects.filter(pk=alert.pk).update(incident=int(Sample.names["/incidents/"]))
    return alert.pk


def at_hour(hours: float) -> str:
    return now(hours * 3_600).isoformat()


def change_correlation() -> None:
    rule = CorrelationRule.in_force()[Factor.SITE]
    rule.least = 9
    correlation_settings.save([rule])


def imported() -> dict[str, Any]:
    return {"text": yaml_file.export().replace("90", "95"), "sure": 1}


def apply_import() -> None:
    running.start_applying(Import.objects.get(pk=Sample.names["/import/"]), by=boss(), at=now())


def enrolment_token() -> dict[str, Any]:
    return {"token": enrolment.make_token(enrolment.TokenLimits(Site.objects.all()[0]), by=None, at=now())}


def replace_first() -> None:
    terminal = Terminal.objects.get(uid=Sample.names["/terminals/"])
    spare = Device.objects.create(serial="KX-8")
    placements.replace(terminal, spare, removed_becomes=DeviceState.SPARE, by=None, at=timezone.now())


def retire_first() -> None:
    retire([pk(Terminal, uid=Sample.names["/terminals/"])], device_becomes=DeviceState.SPARE, by=None, at=now())


def factory_file() -> SimpleUploadedFile:
    return SimpleUploadedFile("lot.csv", f"serial,site,kind\nNEW-1,{Sample.names['/sites/']},kiosk\n".encode())


def acknowledged_just_now() -> str:
    """The token of its undo."""
    incident, at = Incident.objects.get(pk=Sample.names["/incidents/"]), now()
    before = IncidentsBefore.of("acknowledge", [incident])
    correlation.acknowledge(incident, by=boss(), comment="", at=at)
    return before.offer(by=boss(), at=at)


def steps() -> dict[str, Any]:
    return {"steps-TOTAL_FORMS": 1, "steps-INITIAL_FORMS": 0, "steps-0-destinations": pk(Destination)}


def viewer() -> int:
    return built_in("Viewer").pk


def boss() -> User:
    return User.objects.get(username="boss")


MINE = {"last_name": "Mori", "first_name": "Keiko", "new_password1": PASSWORD, "new_password2": PASSWORD}
INVITED = {"email": "keiko@noc.example", "language": "en", "grant-0-scope": "everything"}
EMAIL = {"name": "NOC", "where": "noc@example.com", "language": "en"}
ROTATION = {
    "name": "Days",
    "starts_on": "2026-11-23",
    "handover_at": "09:00",
    "time_zone": "Asia/Tokyo",
    "every_days": 7,
    "members-TOTAL_FORMS": 1,
    "members-INITIAL_FORMS": 0,
}
ABOVE = {"name": "Too hot", "metric": "temperature_c", "warning": 60, "duration_s": 0, "hours": "always"}
WINDOW = {"note": "Switch", "time_zone": "UTC", "repeats": "once"}
COVER = {"cover-since": local(3_600), "cover-until": local(7_200)}
COMMENT = {"comment": "Asked the site"}
HOURS = {"day_0": "9-17", "on_holidays": "as_usual", "special-TOTAL_FORMS": 0, "special-INITIAL_FORMS": 0}
API_RULE = {
    "name": "Overheating",
    "kind": "metric",
    "metric": "temperature_c",
    "comparison": "above",
    "thresholds": [{"severity": "warning", "limit": 70}],
}
API_HOURS = {"week": [{"weekday": 0, "opens_at": "09:00", "closes_at": "17:00"}]}
API_CORRELATION = {"within_s": 60, "least": 9, "small_pct": 50, "medium_pct": 30, "large_pct": 10}
API_ACTIONS: Mapping[str, Mapping[str, Any]] = {
    "assign": {"to": "boss"},
    "comment": COMMENT,
    "snooze": {"until": now(3_600).isoformat()},
}

ACTION_ROUTES = {f"POST /api/v1/{rows}/<action>" for rows in ("alerts/{pk}", "alerts", "incidents/{pk}")}

PAGES: Mapping[str, Sent] = {
    "/terminals/<str:uid>/commands/": Sent(
        "commanded", {"name": "ping", "answer_within_s": "30", "deliver_within_s": "3600"}
    ),
    "/terminals/<str:uid>/manage/": Sent(
        "changed", lambda: {"site": pk(Site, code=Sample.names["/sites/"]), "kind": "gate", "label": "Lane 3"}
    ),
    "/terminals/<str:uid>/groups/": Sent(
        "members-changed", lambda: {"change": "remove", "group": pk(Group, name="Lobby")}
    ),
    "/terminals/<str:uid>/keys/": Sent("key-issued"),
    "/terminals/<str:uid>/keys/rotate/": Sent("key-issued", {"overlap": "3600"}),
    "/terminals/<str:uid>/keys/<int:pk>/revoke/": Sent("key-revoked"),
    "/terminals/<str:uid>/replace/": Sent("device-replaced", {"device": "other", "serial": "KX-9", "becomes": "spare"}),
    "/terminals/<str:uid>/replace/undo/": Sent("replacement-undone", before=replace_first),
    "/terminals/<str:uid>/swap/": Sent("device-swapped", {"other": "R-1"}),
    "/terminals/<str:uid>/unexpected/<int:pk>/": Sent(
        "device-confirmed", {"decision": "confirmed", "becomes": "spare"}
    ),
    "/terminals/<str:uid>/state/": Sent("state-changed", {"to": "out_of_service"}),
    "/terminals/<str:uid>/retire/": Sent("state-changed", {"becomes": "spare", "typed": "T-1"}),
    "/terminals/<str:uid>/bring-back/": Sent("state-changed", before=retire_first),
    "/terminals/<str:uid>/delete/": Sent("deleted", before=lambda: TerminalState.objects.update(last_seen_at=None)),
    "/alerts/<int:pk>/<slug:action>/": Sent("commented", COMMENT),
    "/availability/target/": Sent("changed", lambda: {"site": Sample.names["/sites/"], "percent": "99.5"}),
    "/alerts/<slug:action>/": Sent("commented", lambda: COMMENT | {"alert": Sample.names["/alerts/"]}),
    "/incidents/<int:pk>/<slug:action>/": Sent("commented", COMMENT),
    "/incidents/<slug:action>/": Sent("commented", lambda: COMMENT | {"incident": Sample.names["/incidents/"]}),
    "/incidents/merge/": Sent("merged", lambda: {"incident": two_incidents(), "into": Sample.names["/incidents/"]}),
    "/incidents/<int:pk>/move-out/": Sent("moved_out", lambda: {"alert": member()}),
    "/sites/new/": Sent("created", {"code": "NEW", "name": "New", "time_zone": "Asia/Tokyo"}),
    "/sites/<str:code>/edit/": Sent(
        "changed", lambda: {"code": Sample.names["/sites/"], "name": "Renamed", "time_zone": "Asia/Tokyo"}
    ),
    "/sites/<str:code>/hours/": Sent("changed", HOURS),
    "/sites/<str:code>/close/": Sent("closed", lambda: {"device_becomes": "spare", "typed": Sample.names["/sites/"]}),
    "/sites/<str:code>/reopen/": Sent("reopened", before=close_sample),
    "/regions/new/": Sent("created", {"name": "Tohoku"}),
    "/regions/<int:pk>/": Sent("changed", {"name": "Tohoku"}),
    "/regions/<int:pk>/delete/": Sent("deleted"),
    "/enrol/": Sent("enrolment-token-made", lambda: {"site": Sample.names["/sites/"], "kind": "gate", "hours": 1}),
    "/enrol/many/": Sent(
        "enrolment-token-made", lambda: {"name": "All", "site": Sample.names["/sites/"], "uses": 5, "days": 5}
    ),
    "/enrol/factory/": Sent("factory-list-read", lambda: {"file": factory_file()}),
    "/enrol/tokens/<int:pk>/withdraw/": Sent("enrolment-token-withdrawn"),
    "/enrol/<str:uid>/token/": Sent(
        "enrolment-token-made", before=lambda: Terminal.objects.update(lifecycle=Lifecycle.PLANNED)
    ),
    "/sites/<str:code>/contacts/": Sent(
        "changed", {"form-TOTAL_FORMS": 6, "form-INITIAL_FORMS": 0, "form-0-name": "Office"}
    ),
    "/undo/": Sent("reopened", lambda: {"token": acknowledged_just_now()}),
    "/approvals/<int:pk>/": Sent("withdrawn", {"decision": "withdraw"}),
    "/maintenance/new/": Sent(
        "created", WINDOW | {"terminals": "T-1", "starts_at": local(3_600), "ends_at": local(7_200)}
    ),
    "/maintenance/<int:pk>/end/": Sent("ended"),
    "/maintenance/<int:pk>/extend/": Sent("extended", {"minutes": 30}),
    "/maintenance/<int:pk>/cancel/": Sent("cancelled"),
    "/rules/new/<slug:kind>/": Sent("created", ABOVE),
    "/rules/correlation/": Sent("created", correlation_form),
    "/rules/import/": Sent("changed", imported),
    "/import/<int:pk>/apply/": Sent("imported"),
    "/import/<int:pk>/undo/": Sent("import-undone", before=apply_import),
    "/rules/<int:pk>/": Sent("changed", rule_form),
    "/rules/<int:pk>/switch/": Sent("changed", {"enabled": "0"}),
    "/rules/<int:pk>/delete/": Sent("deleted"),
    "/digest/sign-off/": Sent("signed-off", lambda: {"since": at_hour(-2), "until": at_hour(-1)}),
    "/digest/notes/": Sent("created", {"text": "Quiet"}),
    "/digest/notes/<int:pk>/": Sent("changed", {"text": "Not so quiet"}),
    "/digest/notes/<int:pk>/delete/": Sent("deleted"),
    "/sign-out/": Sent("signed-out"),
    "/me/password/": Sent(
        "password-changed", {"old_password": PASSWORD, "new_password1": PASSWORD[::-1], "new_password2": PASSWORD[::-1]}
    ),
    INVITATION: Sent("invitation-accepted", MINE),
    "/people/invite/": Sent("invited", lambda: INVITED | {"grant-0-role": viewer()}),
    "/people/screens/<int:pk>/": Sent("changed", of_accounts.SCREEN),
    "/people/screens/<int:pk>/revoke/": Sent("revoked"),
    "/people/<int:pk>/grants/": Sent("granted", lambda: {"role": viewer(), "scope": "everything"}),
    "/people/<int:pk>/disable/": Sent("disabled"),
    "/people/<int:pk>/enable/": Sent("enabled", before=lambda: User.objects.update(is_active=F("is_superuser"))),
    "/people/<int:pk>/confirm-name/": Sent(
        "name-confirmed", before=lambda: User.objects.update(is_name_verified=F("is_superuser"))
    ),
    "/people/<int:pk>/end-sessions/": Sent("sessions-ended"),
    "/people/<int:pk>/resend/": Sent("invited-again"),
    "/people/grants/<int:pk>/withdraw/": Sent("withdrawn"),
    "/people/teams/new/": Sent("created", {"name": "Days"}),
    "/people/teams/<int:pk>/": Sent("changed", {"name": "Days"}),
    "/people/teams/<int:pk>/delete/": Sent("deleted"),
    "/people/teams/<int:pk>/release/": Sent("released", before=provision_team),
    "/people/teams/<int:pk>/grants/": Sent("granted", lambda: {"role": viewer(), "scope": "everything"}),
    "/people/teams/<int:pk>/members/": Sent("member-added", lambda: {"person": people.person("mori").pk}),
    "/people/teams/<int:pk>/members/<int:person>/remove/": Sent("member-removed"),
    "/people/service-accounts/": Sent("created", lambda: {"name": "Billing", "role": viewer(), "scope": "everything"}),
    "/people/tokens/<int:pk>/revoke/": Sent("revoked"),
    "/people/identity-providers/<int:pk>/mappings/<int:mapping>/remove/": Sent("changed"),
    "/people/identity-providers/<int:pk>/disable/": Sent("disabled"),
    "/people/identity-providers/<int:pk>/enable/": Sent(
        "enabled", before=lambda: IdentityProvider.objects.update(is_enabled=False)
    ),
    "/people/identity-providers/<int:pk>/delete/": Sent("deleted"),
    "/roles/new/": Sent("created", {"name": "Staff", "permissions": ["write_notes"]}),
    "/roles/<int:pk>/": Sent("changed", {"name": "Staff", "permissions": ["write_notes"]}),
    "/roles/<int:pk>/delete/": Sent("deleted", before=lambda: Grant.objects.filter(role__is_builtin=False).delete()),
    "/destinations/new/<str:kind>/": Sent("created", EMAIL),
    "/destinations/<int:pk>/": Sent("changed", EMAIL | {"where": ""}),
    "/destinations/<int:pk>/test/": Sent("tested"),
    "/destinations/<int:pk>/key/": Sent("key-renewed"),
    "/destinations/<int:pk>/delete/": Sent("deleted"),
    "/destinations/<int:pk>/restore/": Sent("restored", before=delete_first(Destination)),
    "/policies/new/": Sent("created", lambda: {"name": "Some", "delay_s": 0, "group_wait_s": 5} | steps()),
    "/policies/<int:pk>/": Sent("changed", lambda: {"name": "Some", "delay_s": 0, "group_wait_s": 5} | steps()),
    "/policies/<int:pk>/delete/": Sent("deleted"),
    "/policies/<int:pk>/restore/": Sent("restored", before=delete_first(Policy)),
    "/rotations/new/": Sent("created", lambda: ROTATION | {"members-0-person": boss().pk}),
    "/rotations/<int:pk>/": Sent(
        "changed", lambda: ROTATION | {"members-0-person": boss().pk, "members-INITIAL_FORMS": 1}
    ),
    "/rotations/<int:pk>/covers/": Sent("created", lambda: COVER | {"cover-person": boss().pk}),
    "/rotations/<int:pk>/covers/<int:cover>/delete/": Sent("deleted"),
    "/rotations/<int:pk>/delete/": Sent("deleted"),
    "/rotations/<int:pk>/restore/": Sent("restored", before=delete_first(Rotation)),
    "/deliveries/<int:pk>/again/": Sent("resent"),
    "/digest/send/": Sent(
        "digest-sent",
        lambda: {
            "destinations": pk(Destination),
            "since": "2026-11-25T00:00:00+0000",
            "until": "2026-11-25T08:00:00+0000",
            "zone": "UTC",
        },
    ),
    "/availability/mail/": Sent("report-sent", lambda: {"destination": pk(Destination, kind="email"), "customer": "A"}),
    "/availability/mail/plans/": Sent("created", lambda: {"destination": pk(Destination, kind="email")}),
    "/availability/mail/plans/<int:pk>/delete/": Sent("deleted"),
    "/digest/plans/": Sent(
        "created", lambda: {"destination": pk(Destination, kind="email"), "times": "06:00", "time_zone": "Asia/Tokyo"}
    ),
    "/digest/plans/<int:pk>/delete/": Sent("deleted"),
    **{route: Sent(*request) for route, request in of_fleet.PAGES.items()},
}
EXPORTS = (
    "/incidents/export/",
    "/terminals/export/",
    "/incidents/<int:pk>/post-mortem/",
    "/alerts/past/export/",
    "/alerts/times/export/",
    "/rules/export/",
    "/digest/markdown/",
)
API: Mapping[str, Sent] = {
    **{operation: Sent(*request) for operation, request in of_fleet.OPERATIONS.items()},
    "PATCH /api/v1/sites/{code}/hours": Sent("changed", API_HOURS),
    "PUT /api/v1/sites/{code}/availability-target": Sent("changed", {"percent": 99.5}),
    "POST /api/v1/incidents/{pk}/merge": Sent("merged", lambda: {"incidents": two_incidents()[1:]}),
    "POST /api/v1/incidents/{pk}/move-out": Sent("moved_out", lambda: {"alerts": [member()]}),
    "POST /api/v1/digest/sign-offs": Sent("signed-off", lambda: {"since": at_hour(-2), "until": at_hour(-1)}),
    "PUT /api/v1/rule-correlation/{factor}": Sent("created", API_CORRELATION),
    "DELETE /api/v1/rule-correlation": Sent(
        "reset", before=lambda: SameRuleCorrelation.objects.create(factor=Factor.SITE)
    ),
    "DELETE /api/v1/correlation": Sent("reset", before=change_correlation),
    "PUT /api/v1/correlation/{factor}": Sent("created", API_CORRELATION),
    "POST /api/v1/rules": Sent("created", API_RULE),
    "PUT /api/v1/rules/{pk}": Sent("changed", API_RULE),
    "PATCH /api/v1/rules/{pk}": Sent("changed", {"name": "Renamed"}),
    "DELETE /api/v1/rules/{pk}": Sent("deleted"),
    "POST /api/v1/rules/{pk}/switch": Sent("changed", {"enabled": False}),
    "POST /api/v1/maintenance": Sent(
        "created",
        lambda: {
            "note": "Switch",
            "terminals": ["T-1"],
            "starts_at": f"{now(3_600):%Y-%m-%dT%H:%M:%S}",
            "ends_at": f"{now(7_200):%Y-%m-%dT%H:%M:%S}",
            "time_zone": "UTC",
        },
    ),
    "POST /api/v1/maintenance/{pk}/end": Sent("ended"),
    "POST /api/v1/maintenance/{pk}/extend": Sent("extended", lambda: {"until": now(10_800).isoformat()}),
    "POST /api/v1/maintenance/{pk}/cancel": Sent("cancelled"),
    "POST /api/v1/notes": Sent("created", {"text": "Quiet"}),
    "PATCH /api/v1/notes/{pk}": Sent("changed", {"text": "Not so quiet"}),
    "DELETE /api/v1/notes/{pk}": Sent("deleted"),
    "POST /api/v1/destinations": Sent("created", {"kind": "email", "name": "NOC", "address": "noc@example.com"}),
    "PATCH /api/v1/destinations/{pk}": Sent("changed", {"name": "NOC"}),
    "DELETE /api/v1/destinations/{pk}": Sent("deleted"),
    "POST /api/v1/destinations/{pk}/test": Sent("tested"),
    "POST /api/v1/destinations/{pk}/key": Sent("key-renewed"),
    "POST /api/v1/policies": Sent("created", lambda: {"name": "Some", "steps": [{"destinations": [pk(Destination)]}]}),
    "PATCH /api/v1/policies/{pk}": Sent("changed", {"name": "Some"}),
    "DELETE /api/v1/policies/{pk}": Sent("deleted"),
    "POST /api/v1/rotations": Sent(
        "created", {"name": "Days", "starts_on": "2026-11-23", "handover_at": "09:00", "members": ["boss"]}
    ),
    "PATCH /api/v1/rotations/{pk}": Sent("changed", {"name": "Days"}),
    "DELETE /api/v1/rotations/{pk}": Sent("deleted"),
    "POST /api/v1/rotations/{pk}/covers": Sent(
        "created", lambda: {"person": "boss", "since": now(3_600).isoformat(), "until": now(7_200).isoformat()}
    ),
    "DELETE /api/v1/rotations/{pk}/covers/{cover}": Sent("deleted"),
    "POST /api/v1/deliveries/{pk}/again": Sent("resent"),
    "POST /api/v1/identity-providers/{pk}/disable": Sent("disabled"),
    "POST /api/v1/identity-providers/{pk}/mappings": Sent("changed", {"value": "leads", "role": "Viewer"}),
    "DELETE /api/v1/identity-providers/{pk}/mappings/{mapping}": Sent("changed"),
    "POST /api/v1/enrol": Sent("enrolled", enrolment_token),
}


def path_of(route: str) -> str:
    """The path of a route, with the objects of the sample. Tests are sent by e-mail, so that they leave nothing."""
    names = dict(Sample.names)
    if route.endswith(("/test/", "/test")):
        names["/destinations/"] = str(pk(Destination, kind="email"))
    if route == INVITATION:
        Invitation.objects.update(digest=hash_token("key"))
        return "/invitation/key/"
    others = {"/rules/new/": "above", "kind": "email", "action": "comment", "id": str(boss().pk)}
    return Rows(names, others).fill(route)


def prepare(subject: str, name: str) -> None:
    """Bring alert and incident into a state in which the action changes something."""
    rows: Any = Incident if subject.startswith("incidents") else Alert
    pk_ = Sample.names["/incidents/" if rows is Incident else "/alerts/"]
    states = {"acknowledge": "open", "claim": "open", "unclaim": "open"}
    fields: dict[str, Any] = {
        "state": states.get(name, "acknowledged"),
        "acknowledged_by": None,
        "acknowledged_at": None,
        "contract": "",
    }
    if fields["state"] == "acknowledged":
        fields |= {"acknowledged_by": User.objects.create_user("mori"), "acknowledged_at": now()}
        fields["contract"] = "worse"
    if name == "unclaim":
        fields |= {"claimed_by": boss(), "claimed_until": now(60)}
    rows.objects.filter(pk=pk_).update(**fields)
    if name == "resolve":
        Rule.objects.update(may_be_resolved_by_hand=True)
