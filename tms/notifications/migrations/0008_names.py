import django.db.models.deletion
from django.core.validators import MaxValueValidator
from django.db import migrations, models

import tms.lib.text_fields
import tms.notifications.transports

RENAMED_MODELS = (("Told", "DeliveryItem", "notifications_told"), ("Telling", "Escalation", "notifications_telling"))
KINDS = [
    ("opened", "Opened"),
    ("worsened", "Got worse"),
    ("flapping", "Flapping"),
    ("calm", "Calm again, still wrong"),
    ("acknowledged", "Acknowledged"),
    ("assigned", "Assigned to you"),
    ("reminded", "Reminder"),
    ("resolved", "Recovered"),
    ("digest", "Shift digest"),
]
SHORT = {"max_length": 500, "blank": True, "default": ""}
GATHER = {"default": 5, "validators": [MaxValueValidator(3600)], "verbose_name": "gather for (seconds)"}
RENAMED: tuple[tuple[str, str, str, models.Field], ...] = (
    ("delivery", "claim", "lease_id", models.UUIDField(null=True, db_column="claim")),
    ("delivery", "claimed_at", "leased_at", models.DateTimeField(null=True, db_column="claimed_at")),
    ("delivery", "news", "kind", models.CharField(choices=KINDS, max_length=16, db_column="news")),
    ("delivery", "place", "site_code", models.CharField(blank=True, default="", max_length=8, db_column="place")),
    ("delivery", "answer", "detail", tms.lib.text_fields.LinesField(**SHORT, db_column="answer")),
    ("escalation", "step", "next_step", models.PositiveSmallIntegerField(default=0, db_column="step")),
    ("escalation", "taken", "steps_taken", models.PositiveIntegerField(default=0, db_column="taken")),
    ("escalation", "quiet", "suppression", models.CharField(blank=True, default="", max_length=32, db_column="quiet")),
    (
        "policy",
        "tells_recovery",
        "notify_resolved",
        models.BooleanField("tell of recoveries, to those who were told", default=True, db_column="tells_recovery"),
    ),
    (
        "policy",
        "tells_acknowledgement",
        "notify_acknowledged",
        models.BooleanField(
            "tell who has acknowledged it, to those who were told", default=False, db_column="tells_acknowledgement"
        ),
    ),
    (
        "policy",
        "gather_s",
        "group_wait_s",
        models.PositiveIntegerField(
            **GATHER, db_column="gather_s", help_text="Alerts within this time are grouped into one notification."
        ),
    ),
    (
        "policy",
        "by_site",
        "group_by_site",
        models.BooleanField("a message for each site", default=True, db_column="by_site"),
    ),
    (
        "destination",
        "sealed",
        "encrypted_secrets",
        models.TextField(default="", editable=False, db_column="sealed"),
    ),
    ("digestplan", "told_until", "covered_until", models.DateTimeField(db_column="told_until")),
)


def about(of: str, name: str) -> models.ForeignKey:
    return models.ForeignKey(f"alerts.{of}", on_delete=django.db.models.deletion.CASCADE, null=True, related_name=name)


CHANGED = (
    (
        "destination",
        "kind",
        models.CharField(choices=tms.notifications.transports.choices, max_length=16, verbose_name="kind"),
    ),
    ("deliveryitem", "alert", about("alert", "delivery_items")),
    ("deliveryitem", "incident", about("incident", "delivery_items")),
    (
        "deliveryitem",
        "delivery",
        models.ForeignKey("notifications.delivery", on_delete=django.db.models.deletion.CASCADE, related_name="items"),
    ),
    ("escalation", "alert", about("alert", "escalations")),
    ("escalation", "incident", about("incident", "escalations")),
    (
        "escalation",
        "policy",
        models.ForeignKey(
            "notifications.policy", on_delete=django.db.models.deletion.CASCADE, related_name="escalations"
        ),
    ),
)


class Migration(migrations.Migration):
    """New names in the code; every table and column keeps its own, so that the release before goes on working."""

    dependencies = [("notifications", "0007_removal")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("delivery", "delivery_sending"),
                *(
                    operation
                    for old, new, table in RENAMED_MODELS
                    for operation in (migrations.RenameModel(old, new), migrations.AlterModelTable(new, table))
                ),
                *(
                    operation
                    for model, old, new, field in RENAMED
                    for operation in (
                        migrations.RenameField(model, old, new),
                        migrations.AlterField(model, new, field),
                    )
                ),
                *(migrations.AlterField(model, name, field) for model, name, field in CHANGED),
                migrations.AddIndex(
                    "delivery",
                    models.Index(fields=("leased_at",), name="delivery_sending", condition=models.Q(state="sending")),
                ),
            ],
        ),
    ]
