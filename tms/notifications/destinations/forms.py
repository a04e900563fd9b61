"""The form of a destination, with the fields of its transport."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import choosable
from tms.accounts.access.owner_form import OwnedForm
from tms.accounts.display_names import colleagues
from tms.accounts.permissions import Permission
from tms.lib.forms import Plain
from tms.notifications.destinations import services
from tms.notifications.destinations.entries import ADDRESS, VALUE, entry_fields
from tms.notifications.models.destination import Destination, EventFamily
from tms.notifications.weekly_hours import hours_form_fields


class DestinationForm(Plain, OwnedForm[Destination]):
    permission = Permission.EDIT_DESTINATIONS

    events = forms.MultipleChoiceField(
        label=_("Events of the fleet"),
        choices=EventFamily,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Sent at once, in batches, whatever policies and quiet hours say."),
    )

    class Meta:
        model = Destination
        fields = services.EDITED

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        entered = entry_fields(self.instance)
        self.names = {name: "where" if name == ADDRESS else name.replace(VALUE, "own-", 1) for name in entered}
        self.fields |= {self.names[name]: field for name, field in entered.items()}
        current = [self.instance.person_id] if self.instance.person_id else []
        self.fields["person"].queryset = choosable(colleagues(), current, to=self.by)  # type: ignore[attr-defined]
        if not self.instance.transport.takes_events:
            del self.fields["events"]
        self.fields |= hours_form_fields(self.instance)
        self.dress()

    @property
    def entries(self) -> dict[str, str]:
        """What was entered for its transport, as the service takes it."""
        return {name: self.cleaned_data.get(field, "") for name, field in self.names.items()}

    def check(self) -> None:
        services.check(self.instance, self.entries, by=self.by)

    @property
    def own_fields(self) -> Iterator[forms.BoundField]:
        """The fields of its transport, in their order."""
        return (self[name] for name in self.names.values())
