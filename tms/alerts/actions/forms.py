"""The dialogs of operator actions."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, visible
from tms.accounts.display_names import colleagues, name_of
from tms.accounts.models import User
from tms.alerts.actions.terms import ActionTerms, out_of_reach
from tms.alerts.lifecycle.limits import is_in_reach
from tms.alerts.models import Alert, AlertQuerySet, Contract
from tms.lib.calendar.time_zones import zone_named
from tms.lib.text_fields import FormLine, FormLines

AT = "at"
LASTS = (
    ("1800", _("for 30 min")),
    ("3600", _("for 1 h")),
    ("7200", _("for 2 h")),
    ("14400", _("for 4 h")),
    ("28800", _("for 8 h")),
    ("86400", _("for 1 day")),
    (AT, _("until …")),
)
DEFAULT = "3600"
MINUTE = timedelta(minutes=1)


class ActionForm(forms.Form):
    """The input of an action on `alerts`; none, unless a subclass adds fields.

    `at` is when it is shown or submitted.
    """

    partial: ClassVar[str] = "confirm"
    """The template in `boards/actions/` that shows its fields."""

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        alerts: AlertQuerySet,
        at: datetime,
        by: Person,
        initial: dict[str, object] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.alerts = alerts
        self.at = at
        self.by = by

    @property
    def template(self) -> str:
        return f"boards/actions/{self.partial}.html"

    def terms(self) -> ActionTerms:
        """The keyword arguments of the service, from a valid form."""
        return {}


class CommentForm(ActionForm):
    partial = "comment"

    comment = FormLines(max_length=Alert._meta.get_field("comment").max_length, required=False)

    def terms(self) -> ActionTerms:
        return {"comment": self.cleaned_data["comment"]}


class RequiredCommentForm(CommentForm):
    comment = FormLines(max_length=Alert._meta.get_field("comment").max_length)


class UntilForm(CommentForm):
    """A duration or an end: `until` is local time in `zone` (the browser's), by default in the time zone of TMS."""

    lasts = forms.ChoiceField(choices=LASTS, required=False)
    until = FormLine(required=False, max_length=32)
    zone = FormLine(required=False, max_length=64)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["until"] = self._until(data) if self.is_timed(data) else None
        return data

    def is_timed(self, data: Mapping[str, object]) -> bool:
        return True

    def begins_at(self) -> datetime | None:
        """The initial value of the field; None while it shows the person's input."""
        return None if self.is_bound else self.initial.get("until") or _whole_minute(self.at + timedelta(hours=1))

    def shown_until(self) -> str:
        at = self.begins_at()
        return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else str(self["until"].value() or "")

    def shown_lasts(self) -> str:
        return str(self["lasts"].value() or (AT if self.initial.get("until") else DEFAULT))

    def _until(self, data: dict[str, Any]) -> datetime | None:
        lasts = data.get("lasts") or DEFAULT
        if lasts != AT:
            return _whole_minute(self.at + timedelta(seconds=int(lasts)))
        until = _instant(data.get("until", ""), data.get("zone", ""))
        if until is None or not is_in_reach(until, at=self.at):
            self.add_error("until", gettext("Choose a time within the next 31 days."))
            return None
        return until


class SnoozeForm(UntilForm):
    partial = "snooze"

    def terms(self) -> ActionTerms:
        return {**super().terms(), "until": self.cleaned_data["until"]}


class AcknowledgeForm(UntilForm):
    partial = "acknowledge"

    contract = forms.ChoiceField(choices=Contract, required=False)

    def terms(self) -> ActionTerms:
        chosen = self.cleaned_data
        return {**super().terms(), "contract": chosen["contract"], "until": chosen["until"]}

    def clean_contract(self) -> Contract:
        return Contract(self.cleaned_data["contract"] or Contract.RECOVERY)

    def is_timed(self, data: Mapping[str, object]) -> bool:
        return data.get("contract") == Contract.TIME

    def shown_contract(self) -> str:
        return str(self["contract"].value() or Contract.RECOVERY)


class _People(forms.ModelChoiceField):  # type: ignore[type-arg]  # Django has it without
    def label_from_instance(self, obj: User) -> str:
        return name_of(obj).text


class AssignForm(CommentForm):
    partial = "assign"

    to = _People(User.objects.none(), empty_label=None)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        people = visible(colleagues(), to=self.by)
        field = self.fields["to"]
        assert isinstance(field, _People)
        field.queryset = people.order_by("last_name", "first_name", "username")

    def clean_to(self) -> User:
        to: User = self.cleaned_data["to"]
        if number := out_of_reach(self.alerts, of=to):
            text = ngettext(
                "%(person)s may not handle this alert.",
                "%(person)s may not handle %(number)s of these alerts.",
                self.alerts.count(),
            )
            raise ValidationError(text % {"person": name_of(to).text, "number": f"{number:,}"})
        return to

    def terms(self) -> ActionTerms:
        return {**super().terms(), "to": self.cleaned_data["to"]}


def _whole_minute(at: datetime) -> datetime:
    """Rounded up, so that two submissions within a moment are equal."""
    return at + -(at - datetime.min.replace(tzinfo=at.tzinfo)) % MINUTE


def _instant(text: str, zone: str) -> datetime | None:
    """Parse `2026-11-25T19:30` as local time in `zone`. None for another form, or an unknown zone."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    tz = zone_named(zone) if zone else timezone.get_current_timezone()
    return local.replace(tzinfo=tz) if tz and local.tzinfo is None else None
