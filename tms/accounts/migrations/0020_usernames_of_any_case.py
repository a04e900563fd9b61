from django.core.management.base import CommandError
from django.db import migrations, models
from django.db.models.functions import Upper

MOST = 20


def check_usernames(apps, schema_editor):
    """Say which accounts have to be renamed first: people chose these names, so no migration changes them."""
    people = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    twice = (
        people.annotate(upper=Upper("username"))
        .values("upper")
        .annotate(number=models.Count("pk"))
        .filter(number__gt=1)
        .values("upper")
    )
    names = people.annotate(upper=Upper("username")).filter(upper__in=twice).order_by("upper", "pk")
    if listed := list(names.values_list("username", flat=True)[:MOST]):
        text = "these usernames differ only in upper and lower case: {}. Rename all but one of each, and migrate again."
        raise CommandError(text.format(", ".join(listed)))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0019_saml"),
    ]

    operations = [
        migrations.RunPython(check_usernames, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                Upper("username"),
                name="user_username_any_case",
                violation_error_message="An account with this username exists already.",
            ),
        ),
    ]
