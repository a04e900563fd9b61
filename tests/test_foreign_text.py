"""Foreign text is cleaned wherever it is entered, and harmless wherever it is shown."""

import importlib
import json
import pkgutil

import pytest
from django import forms
from django.apps import apps
from django.db import models
from django.test import Client

import tms
from tests.support.builders import now
from tests.support.hostile_text import BIDI, CONTROL, HOSTILE, LINE, LINES
from tms.alerts.rule_editing import yaml_file
from tms.fleet.enrolment import tokens as enrolment
from tms.fleet.models import Site, Terminal
from tms.lib.csv_export import csv_text
from tms.lib.text_fields import FormLine, FormLines, LineField, LinesField, LongLinesField
from tms.notifications.transports import email
from tms.notifications.transports.message import Message
from tms.shifts.models import Note

OURS = [model for model in apps.get_models() if model.__module__.startswith("tms.")]
CLEANED = (LineField, LinesField, LongLinesField)
CODES = {
    "accounts.Identity.issuer",
    "accounts.Identity.subject",
    "accounts.IdentityProvider.client_id",
    "accounts.IdentityProvider.certificates",
    "accounts.IdentityProvider.issuer",
    "accounts.IdentityProvider.sso_url",
    "accounts.IdentityProvider.slug",
    "accounts.ProviderSession.sid",
    "accounts.User.email",
    "fleet.SiteContact.email",
    "accounts.User.language",
    "accounts.User.password",
    "accounts.User.time_zone",
    "accounts.User.username",
    "accounts.WallScreen.language",
    "accounts.WallScreen.time_zone",
    "alerts.Incident.key",
    "alerts.Rule.clear_code",
    "alerts.Rule.event_code",
    "alerts.Rule.metric",
    "alerts.Window.time_zone",
    "commands.Command.name",
    "commands.CommandDefinition.name",
    "configuration.LayerValue.secret",
    "configuration.TerminalConfiguration.applied_digest",
    "configuration.TerminalConfiguration.digest",
    "jobs.Job.command",
    "jobs.Job.time_zone",
    "files.TerminalFile.claimed_sha256",
    "files.TerminalFile.media_type",
    "fleet.Outage.boot_id",
    "fleet.Attribute.name",
    "artifacts.Artifact.manifest",
    "artifacts.ArtifactUpload.manifest",
    "artifacts.SigningKey.public_key",
    "rollouts.RolloutItem.boot_id",
    "rollouts.RolloutItem.serial",
    "rollouts.RolloutItem.version_before",
    "fleet.DeviceTag.name",
    "fleet.Site.code",
    "fleet.SiteTag.name",
    "fleet.Site.holiday_calendar",
    "fleet.Site.time_zone",
    "fleet.Terminal.uid",
    "fleet.TerminalTag.name",
    "fleet.TerminalState.boot_id",
    "notifications.Destination.hours_zone",
    "notifications.DigestPlan.time_zone",
    "notifications.DigestPlan.times",
    "notifications.Policy.hours_zone",
    "notifications.Delivery.reference",
    "notifications.Rotation.time_zone",
    "rest.IdempotencyRecord.key",
    "telemetry.Boot.boot_id",
    "telemetry.Event.code",
    "telemetry.Rollup.metric",
}
"""Checked against an alphabet or a list, or never shown."""
MADE_BY_TMS = {
    "artifacts.Artifact.sha1",
    "artifacts.Artifact.sha256",
    "artifacts.ArtifactUpload.key",
    "artifacts.ArtifactUpload.multipart",
    "artifacts.ArtifactUpload.sha1",
    "artifacts.ArtifactUpload.sha256",
    "artifacts.ArtifactUpload.stored_as",
    "rollouts.Rollout.reason",
    "rollouts.RolloutEvent.reason",
    "rollouts.RolloutItem.reason",
    "rollouts.TerminalEffect.measure",
    "jobs.JobEvent.reason",
    "jobs.JobRun.reason",
    "notifications.EventCursor.source",
    "accounts.AuditCheck.broken_reason",
    "accounts.AuditDay.last_hash",
    "accounts.AuditDay.previous_hash",
    "accounts.User.terminal_columns",
    "accounts.AuditEntry.action",
    "accounts.AuditEntry.hash",
    "accounts.AuditEntry.subject_id",
    "accounts.AuditEntry.subject_type",
    "accounts.ApiToken.digest",
    "accounts.FormerPassword.encoded",
    "accounts.IdentityProvider.encrypted_secrets",
    "accounts.Invitation.digest",
    "accounts.ProviderSession.session_key",
    "accounts.ScreenPairing.code",
    "accounts.ScreenPairing.digest",
    "accounts.SpentToken.digest",
    "accounts.WallScreen.digest",
    "accounts.WallScreen.predecessor",
    "accounts.WallScreen.successor",
    "alerts.Alert.suppressed_at_open",
    "approvals.ApprovalRequest.kind",
    "files.FilePart.content",
    "files.TerminalFile.content",
    "files.TerminalFile.digest",
    "files.TerminalFile.folder",
    "files.TerminalFile.sha256",
    "fleet.Credential.digest",
    "fleet.EnrolmentToken.digest",
    "fleet.Node.host",
    "fleet.Node.name",
    "fleet.Node.run",
    "fleet.Outage.lost_by",
    "fleet.Outage.node",
    "fleet.TerminalState.node",
    "notifications.Delivery.key",
    "notifications.Delivery.language",
    "notifications.Delivery.site_code",
    "notifications.Destination.encrypted_secrets",
    "notifications.DevicePreferences.area",
    "notifications.PushDevice.address_digest",
    "notifications.PushKey.encrypted_secrets",
    "notifications.PushKey.public_key",
    "notifications.Escalation.kind",
    "notifications.Escalation.suppression",
    "ops.Heartbeat.name",
    "ops.Heartbeat.node",
    "ops.LoopSuccess.name",
    "ops.LoopSuccess.node",
    "ops.SloSample.outcome",
    "ops.SloSample.indicator",
    "rest.IdempotencyRecord.body",
    "rest.IdempotencyRecord.fingerprint",
    "jobs.Item.reason",
    "jobs.Job.reason",
    "jobs.Job.rrule",
    "jobs.Run.reason",
    "transfer.Import.kind",
}
"""Texts that TMS makes, and people do not enter."""


def texts(model: type[models.Model]) -> list[models.Field]:
    kinds = (models.CharField, models.TextField)
    return [field for field in model._meta.concrete_fields if isinstance(field, kinds) and not field.choices]


def cleaned_fields() -> list[models.Field]:
    return [field for model in OURS for field in texts(model) if isinstance(field, CLEANED)]


def test_every_text_of_a_model_is_cleaned_or_excluded():
    plain = {str(field) for model in OURS for field in texts(model) if not isinstance(field, CLEANED)}

    assert plain - CODES - MADE_BY_TMS == set()


@pytest.mark.parametrize("field", cleaned_fields(), ids=str)
def test_a_text_of_a_model_is_cleaned_by_forms_and_by_the_database(field):
    wanted = LINE if isinstance(field, LineField) else LINES

    assert field.get_prep_value(HOSTILE) == wanted
    assert field.to_python(HOSTILE) == wanted
    assert isinstance(field.formfield(), FormLine)
    assert isinstance(field.formfield(), FormLines) is not isinstance(field, LineField)


@pytest.mark.parametrize("form_field", [FormLine(), FormLines()], ids=["line", "lines"])
def test_a_form_cleans_and_refuses_text_that_is_empty_then(form_field):
    assert form_field.clean(f"  {HOSTILE} ") == (LINES if isinstance(form_field, FormLines) else LINE)
    with pytest.raises(forms.ValidationError, match="required"):
        form_field.clean(BIDI + CONTROL)


def test_every_text_of_a_form_is_a_cleaned_one():
    for module in pkgutil.walk_packages(tms.__path__, "tms."):
        if module.name.endswith("forms"):
            importlib.import_module(module.name)
    made = [form for form in all_subclasses(forms.BaseForm) if form.__module__.startswith("tms.")]

    plain = {
        f"{form.__qualname__}.{name}"
        for form in made
        for name, field in form.base_fields.items()
        if type(field) is forms.CharField and name not in PARSED and "password" not in name
    }

    assert len(made) > 15
    assert plain == set()


PARSED = {
    "certificates",
    "client_id",
    "client_secret",
    "code",
    "credential",
    "hours_zone",
    "issuer",
    "sso_url",
    "time_zone",
}
"""Codes, signatures and identifiers, which are compared as they are; zones are converted to a list of choices."""


def all_subclasses(kind: type) -> set[type]:
    return {kind} | {found for one in kind.__subclasses__() for found in all_subclasses(one)}


@pytest.mark.django_db
@pytest.mark.both
class TestDatabase:
    def test_text_is_cleaned_by_every_way_to_write_a_row(self, fleet):
        site = fleet.site("SJK")
        Site.objects.filter(pk=site.pk).update(name=HOSTILE)
        [bulk] = Terminal.objects.bulk_create([Terminal(uid="B", site=site, label=HOSTILE)])
        saved = Terminal.objects.create(uid="S", site=site, label=HOSTILE)

        assert Site.objects.get(pk=site.pk).name == LINE
        assert (bulk.label, saved.label) == (LINE, LINE)
        assert Terminal.objects.filter(label=HOSTILE).count() == 2

    def test_enrolment_cleans_the_texts_of_a_terminal(self, fleet):
        token = enrolment.make_token(enrolment.TokenLimits(fleet.site("SJK")), by=None, at=now())
        body = {"token": token, "serial": HOSTILE, "model": HOSTILE}

        answer = Client().post("/api/v1/enrol", json.dumps(body), content_type="application/json")

        terminal = Terminal.objects.get(uid=answer.json()["uid"])
        assert (terminal.serial, terminal.model) == (LINE, LINE)

    def test_a_rule_of_a_file_is_cleaned(self, fleet):
        rule = {"name": HOSTILE, "name_ja": HOSTILE, "kind": "presence", "presence": "offline", "severity": "warning"}

        [planned] = yaml_file.plan_import(json.dumps({"rules": [rule]}))

        assert (planned.rule.name, planned.rule.name_ja) == (LINE, LINE)

    def test_a_note_keeps_its_lines(self, fleet):
        note = Note.objects.create(text=HOSTILE, by=fleet.person("ken"), at=now())

        assert note.text == LINES


@pytest.mark.parametrize(
    ("cell", "result"),
    [
        ("plain", "plain"),
        (-1, "-1"),
        ("=cmd()", "'=cmd()"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        (" =cmd()", "' =cmd()"),
        ("\t=cmd()", "'\t=cmd()"),
        ("\u202e=cmd()", "'=cmd()"),
        ("\uff1dcmd()", "'\uff1dcmd()"),
        ("a\x1b\u202eb", "ab"),
    ],
)
def test_a_cell_of_a_table_runs_nothing_and_contains_no_control_characters(cell, result):
    assert csv_text([[cell]]) == f"{result}\r\n"


def test_no_line_break_and_no_override_reaches_the_header_of_an_e_mail():
    hostile = Message("1", now(), "test", f"{HOSTILE}\nBcc: all@example.com", [], {})

    head = email._mail(["noc@example.com"], hostile).message()

    assert head["Subject"] == f"{LINE} Bcc: all@example.com"
    assert head["Bcc"] is None
