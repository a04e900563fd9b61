"""The destinations of what is planned, and of what is sent now."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, permitted, visible
from tms.accounts.permissions import Permission
from tms.lib.forms import Plain
from tms.notifications.models.destination import Destination


class PlanForm(Plain, forms.Form):
    """For destinations whose owner lies within the scope in which the person may plan."""

    destination = forms.ModelChoiceField(Destination.objects.none(), label=_("Destination"), empty_label=None)

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        usable = Destination.objects.not_deleted().enabled()
        offer(self, "destination", permitted(usable, by=by, permission=Permission.PLAN_DIGESTS))
        self.dress()


def visible_destinations(person: Person) -> QuerySet[Destination]:
    """To which the person sends: what is sent has what both of them may read."""
    return visible(Destination.objects.not_deleted().enabled(), to=person)


def offer(form: forms.Form, name: str, rows: QuerySet[Destination]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows
