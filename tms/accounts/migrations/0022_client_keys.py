from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0021_mapped_roles_protected"),
    ]

    operations = [
        migrations.AddField(
            model_name="identityprovider",
            name="client_auth",
            field=models.CharField(
                choices=[
                    ("secret", "With the client secret"),
                    ("private_key_jwt", "With a key of its own (private_key_jwt)"),
                ],
                db_default="secret",
                default="secret",
                help_text="A key needs no secret at the provider, which reads the public part from TMS.",
                max_length=16,
                verbose_name="client authentication",
            ),
        ),
        migrations.AddField(
            model_name="identityprovider",
            name="signs_out",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="People who sign out of TMS are signed out of everything that they use with this account.",
                verbose_name="sign out at the provider, too",
            ),
        ),
    ]
