import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("fleet", "0008_bulk_edits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ConfigurationKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=64, unique=True, verbose_name="key")),
                ("meaning", models.CharField(blank=True, max_length=200, verbose_name="meaning")),
                ("for_models", models.JSONField(default=list, verbose_name="models")),
                ("schema", models.JSONField(default=dict, verbose_name="schema")),
                ("needs_restart", models.BooleanField(default=False, verbose_name="needs a restart")),
                ("is_secret", models.BooleanField(default=False, verbose_name="secret")),
            ],
            options={
                "verbose_name": "configuration key",
                "verbose_name_plural": "configuration keys",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="ConfigurationVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(unique=True, verbose_name="version")),
                ("title", models.CharField(blank=True, max_length=100, verbose_name="title")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "Draft"), ("ready", "Ready")],
                        default="draft",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("edited_at", models.DateTimeField(null=True)),
                ("fixed_at", models.DateTimeField(null=True)),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "edited_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "undoes",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="undone_by",
                        to="configuration.configurationversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "configuration version",
                "verbose_name_plural": "configuration versions",
                "ordering": ("-number",),
            },
        ),
        migrations.CreateModel(
            name="LayerValue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "layer",
                    models.CharField(
                        choices=[
                            ("fleet", "Fleet"),
                            ("region", "Region"),
                            ("group", "Group"),
                            ("site", "Site"),
                            ("terminal", "Terminal"),
                        ],
                        max_length=16,
                    ),
                ),
                ("value", models.JSONField(null=True)),
                ("secret", models.TextField(blank=True)),
                (
                    "group",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="fleet.group"
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="values",
                        to="configuration.configurationkey",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="fleet.region"
                    ),
                ),
                (
                    "since",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="values_set",
                        to="configuration.configurationversion",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="fleet.site"
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="fleet.terminal"
                    ),
                ),
                (
                    "until",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="values_ended",
                        to="configuration.configurationversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TerminalConfiguration",
            fields=[
                (
                    "terminal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="configuration",
                        serialize=False,
                        to="fleet.terminal",
                    ),
                ),
                ("revision", models.PositiveIntegerField(default=0)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("desired_at", models.DateTimeField(null=True)),
                ("applied_digest", models.CharField(blank=True, max_length=64)),
                ("reported", models.BigIntegerField(null=True)),
                ("reported_at", models.DateTimeField(null=True)),
                ("refused", models.JSONField(default=dict)),
                ("needs_restart", models.BooleanField(default=False)),
                ("error", models.CharField(blank=True, max_length=500, verbose_name="error")),
                ("is_stale", models.BooleanField(default=False)),
                ("held_at", models.DateTimeField(null=True)),
                (
                    "applied_version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="configuration.configurationversion",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="terminals",
                        to="configuration.configurationversion",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="configurationversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "draft")), fields=("state",), name="version_one_draft"
            ),
        ),
        migrations.AddConstraint(
            model_name="layervalue",
            constraint=models.UniqueConstraint(
                condition=models.Q(("layer", "fleet"), ("until", None)), fields=("key",), name="layervalue_fleet"
            ),
        ),
        migrations.AddConstraint(
            model_name="layervalue",
            constraint=models.UniqueConstraint(
                condition=models.Q(("layer", "region"), ("until", None)),
                fields=("key", "region"),
                name="layervalue_region",
            ),
        ),
        migrations.AddConstraint(
            model_name="layervalue",
            constraint=models.UniqueConstraint(
                condition=models.Q(("layer", "group"), ("until", None)),
                fields=("key", "group"),
                name="layervalue_group",
            ),
        ),
        migrations.AddConstraint(
            model_name="layervalue",
            constraint=models.UniqueConstraint(
                condition=models.Q(("layer", "site"), ("until", None)), fields=("key", "site"), name="layervalue_site"
            ),
        ),
        migrations.AddConstraint(
            model_name="layervalue",
            constraint=models.UniqueConstraint(
                condition=models.Q(("layer", "terminal"), ("until", None)),
                fields=("key", "terminal"),
                name="layervalue_terminal",
            ),
        ),
        migrations.AddIndex(
            model_name="terminalconfiguration",
            index=models.Index(
                condition=models.Q(
                    ("reported__isnull", False), models.Q(("reported", models.F("revision")), _negated=True)
                ),
                fields=["terminal"],
                name="configuration_differs",
            ),
        ),
        migrations.AddIndex(
            model_name="terminalconfiguration",
            index=models.Index(condition=models.Q(("is_stale", True)), fields=["terminal"], name="configuration_stale"),
        ),
    ]
