"""What a person sets for themselves: stored with an entry in the audit trail."""

from typing import Any

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.lib.severity import Severity

DEFAULT_SOUNDS = (Severity.CRITICAL, Severity.WARNING)
"""The same default as in the browser (`sound.js`)."""


def store(person: User, **values: Any) -> None:
    """Changes only these columns, and is not recorded if they are equal."""
    row = User.objects.get(pk=person.pk)
    with recorder.change(row):
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=[*values])
