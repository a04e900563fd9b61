import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0025_verified_names")]

    operations = [
        migrations.AlterModelOptions(
            name="spenttoken", options={"verbose_name": "spent token", "verbose_name_plural": "spent tokens"}
        ),
        migrations.AlterField(
            model_name="spenttoken",
            name="provider",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.identityprovider",
            ),
        ),
        migrations.AddConstraint(
            model_name="spenttoken",
            constraint=models.UniqueConstraint(
                condition=models.Q(("provider", None)), fields=("digest",), name="spent_challenge_once"
            ),
        ),
    ]
