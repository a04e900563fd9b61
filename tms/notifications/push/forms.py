"""Forms for the browsers in which a person is notified."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import grant_scopes, scope_of
from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.lib.forms import Plain
from tms.lib.severity import Severity
from tms.lib.text_fields import FormLine
from tms.notifications.models.device import DevicePreferences
from tms.notifications.transports.push.subscription import MAX_ADDRESS, Subscription


class SubscriptionForm(forms.Form):
    """What the page sends after the browser has subscribed. Errors are about all of it."""

    address = FormLine(max_length=MAX_ADDRESS)
    p256dh = FormLine(max_length=100)
    auth = FormLine(max_length=50)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors:
            values["subscription"] = Subscription.checked(values["address"], values["p256dh"], values["auth"])
        return values

    @property
    def fault(self) -> str:
        """The first error, for people."""
        return next((str(message) for messages in self.errors.values() for message in messages), "")


class BrowserPreferencesForm(Plain, forms.Form):
    """The choice of what a person is notified of in their browsers."""

    critical = forms.BooleanField(label=_("Critical alerts"), required=False)
    warning = forms.BooleanField(label=_("Warnings"), required=False)
    info = forms.BooleanField(label=_("Information"), required=False)
    is_only_on_call = forms.BooleanField(label=_("Only while on call"), required=False)
    area = forms.ChoiceField(label=_("Part of the fleet"), required=False)

    def __init__(self, person: User, data: Any = None) -> None:
        self.row = DevicePreferences.objects.filter(person=person).first() or DevicePreferences(person=person)
        chosen = {severity.value: severity.value in self.row.severities for severity in Severity}
        super().__init__(data, initial={**chosen, "is_only_on_call": self.row.is_only_on_call, "area": self.row.area})
        offered = [
            choice for choice in grant_scopes.choices(scope_of(person)) if choice[0] != grant_scopes.EVERYTHING_KEY
        ]
        self.fields["area"].choices = [("", _("Everything I see")), *offered]  # type: ignore[attr-defined]  # django-stubs: Field
        self.dress()

    def clean_area(self) -> str:
        area: str = self.cleaned_data["area"]
        if len(area) > grant_scopes.MAX_KEY:
            raise ValidationError(_("Choose a part of the fleet that you see."))
        return area

    def store(self) -> None:
        row, values = self.row, self.cleaned_data
        with recorder.change(row):
            row.severities = [severity.value for severity in Severity if values[severity.value]]
            row.is_only_on_call, row.area = values["is_only_on_call"], values["area"]
            row.save()
