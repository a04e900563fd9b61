"""Forms to send shift digests, now and after each shift."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, permitted, visible
from tms.accounts.permissions import Permission
from tms.lib.calendar.time_zones import zone_choices
from tms.lib.forms import Plain, TimesInput
from tms.lib.text_fields import FormLine
from tms.notifications.models.destination import Destination
from tms.notifications.models.digest_plan import MAX_TIMES, clock
from tms.shifts.period import MAX_PERIOD, is_period


class SendForm(Plain, forms.Form):
    """The form to send a digest now. `since` and `until` are fixed when the page is opened, so that submitting twice
    sends once.
    """

    destinations = forms.ModelMultipleChoiceField(
        Destination.objects.none(), label=_("To"), widget=forms.CheckboxSelectMultiple
    )
    since = forms.DateTimeField(widget=forms.HiddenInput, input_formats=["%Y-%m-%dT%H:%M:%S%z"])
    until = forms.DateTimeField(widget=forms.HiddenInput, input_formats=["%Y-%m-%dT%H:%M:%S%z"])
    zone = FormLine(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, by: Person, **options: Any) -> None:
        """Offer the destinations that the person sees: the digest has what both of them may read."""
        super().__init__(*args, **options)
        field = self.fields["destinations"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = visible(Destination.objects.not_deleted().enabled(), to=by)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and not is_period(since, until, longest=MAX_PERIOD):
            raise forms.ValidationError(gettext("The period must not exceed 31 days."))
        return cleaned


class PlanForm(Plain, forms.Form):
    destination = forms.ModelChoiceField(Destination.objects.none(), label=_("Destination"), empty_label=None)
    times = FormLine(
        label=_("Shift end times"),
        max_length=100,
        help_text=_("When shifts end, or a single time for a daily digest."),
        widget=TimesInput(most=MAX_TIMES),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices)

    def __init__(self, *args: Any, by: Person, **kwargs: Any) -> None:
        """Offer destinations whose owner lies within the scope in which the person may plan digests."""
        super().__init__(*args, **kwargs)
        field = self.fields["destination"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = permitted(
            Destination.objects.not_deleted().enabled(), by=by, permission=Permission.PLAN_DIGESTS
        )
        self.dress()

    def clean_times(self) -> str:
        """The times in canonical form."""
        try:
            found = clock(self.cleaned_data["times"])
        except ValueError:
            found = []
        if not 0 < len(found) <= MAX_TIMES:
            raise forms.ValidationError(gettext("Enter times such as 06:00 14:00 22:00."))
        return " ".join(f"{one:%H:%M}" for one in found)


def begun(since: datetime, until: datetime, zone: str) -> dict[str, str]:
    """Initial values of a new form."""
    spelt = {
        name: f"{at.astimezone(timezone.get_default_timezone()):%Y-%m-%dT%H:%M:%S%z}"
        for name, at in (("since", since), ("until", until))
    }
    return {**spelt, "zone": zone}
