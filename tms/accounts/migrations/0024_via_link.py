from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0023_unused_accounts_and_former_passwords")]

    operations = [
        migrations.AlterField(
            model_name="auditentry",
            name="via",
            field=models.CharField(
                choices=[
                    ("page", "page"),
                    ("api", "API"),
                    ("command", "command line"),
                    ("clock", "TMS itself"),
                    ("terminal", "terminal"),
                    ("link", "link in a message"),
                ],
                max_length=16,
                verbose_name="via",
            ),
        ),
    ]
