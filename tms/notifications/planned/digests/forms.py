"""Forms to send shift digests, now and after each shift."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person
from tms.lib.calendar.time_zones import zone_choices
from tms.lib.forms import Plain, TimesInput
from tms.lib.text_fields import FormLine
from tms.notifications.models.destination import Destination
from tms.notifications.models.digest_plan import MAX_TIMES, clock
from tms.notifications.planned.forms import PlanForm, offer, visible_destinations
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
        super().__init__(*args, **options)
        offer(self, "destinations", visible_destinations(by))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and not is_period(since, until, longest=MAX_PERIOD):
            raise forms.ValidationError(gettext("The period must not exceed 31 days."))
        return cleaned


class DigestPlanForm(PlanForm):
    times = FormLine(
        label=_("Shift end times"),
        max_length=100,
        help_text=_("When shifts end, or a single time for a daily digest."),
        widget=TimesInput(most=MAX_TIMES),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices)

    def clean_times(self) -> str:
        """The times in canonical form."""
        try:
            found = clock(self.cleaned_data["times"])
        except ValueError:
            found = []
        if not 0 < len(found) <= MAX_TIMES:
            raise forms.ValidationError(gettext("Enter times such as 06:00 14:00 22:00."))
        return " ".join(f"{one:%H:%M}" for one in found)


def initial_values(since: datetime, until: datetime, zone: str) -> dict[str, str]:
    """Initial values of a new form."""
    spelt = {
        name: f"{at.astimezone(timezone.get_default_timezone()):%Y-%m-%dT%H:%M:%S%z}"
        for name, at in (("since", since), ("until", until))
    }
    return {**spelt, "zone": zone}
