import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0022_client_keys"),
    ]

    operations = [
        migrations.AddField("user", "enabled_at", models.DateTimeField(editable=False, null=True)),
        migrations.AddField("user", "inactivity_noticed_at", models.DateTimeField(editable=False, null=True)),
        migrations.CreateModel(
            name="FormerPassword",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("encoded", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(db_default=Now())),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_passwords",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name": "former password", "verbose_name_plural": "former passwords"},
        ),
    ]
