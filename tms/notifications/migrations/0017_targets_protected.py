import django.db.models.deletion
from django.db import migrations, models


def through(name: str, target: str, table: str) -> migrations.CreateModel:
    return migrations.CreateModel(
        name,
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            (
                "policy",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE, related_name="+", to="notifications.policy"
                ),
            ),
            (
                target,
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=f"fleet.{target}"),
            ),
        ],
        options={"db_table": table, "unique_together": {("policy", target)}},
    )


class Migration(migrations.Migration):
    """The tables exist: Django had made them for the fields."""

    dependencies = [("fleet", "0013_outage_began"), ("notifications", "0016_devices")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                through("PolicySite", "site", "notifications_policy_sites"),
                through("PolicyGroup", "group", "notifications_policy_groups"),
                migrations.AlterField(
                    "policy",
                    "sites",
                    models.ManyToManyField(
                        blank=True, through="notifications.PolicySite", to="fleet.site", verbose_name="sites"
                    ),
                ),
                migrations.AlterField(
                    "policy",
                    "groups",
                    models.ManyToManyField(
                        blank=True, through="notifications.PolicyGroup", to="fleet.group", verbose_name="groups"
                    ),
                ),
            ]
        )
    ]
