from typing import Any

from django.db import migrations, models


def find_unverified(apps: Any, editor: Any) -> None:
    """Accounts that a provider named by an address which is of none of its domains, unless the directory has them."""
    user = apps.get_model("accounts", "User")
    identities = apps.get_model("accounts", "Identity").objects.filter(is_provisioned=True, person__provisioned=None)
    rows = identities.values_list("person", "person__username", "provider__email_domains")
    unverified = [
        person
        for person, username, domains in rows.iterator()
        if username.rpartition("@")[2].lower() not in domains.lower().replace(",", " ").split()
    ]
    for start in range(0, len(unverified), 500):
        user.objects.filter(pk__in=unverified[start : start + 500]).update(is_name_verified=False)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0024_via_link")]

    operations = [
        migrations.AlterModelManagers(name="user", managers=[]),
        migrations.AddField(
            model_name="user",
            name="is_name_verified",
            field=models.BooleanField(db_default=True, default=True, editable=False, verbose_name="name verified"),
        ),
        migrations.RunPython(find_unverified, migrations.RunPython.noop, elidable=True),
    ]
