"""The fields of a form for when something repeats, without iCalendar."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.lib.calendar.repetition import DAYS, LAST, MAX_EVERY, MAX_TIMES, NTHS, WORKDAYS, RepeatUnit, Repetition
from tms.lib.forms import when
from tms.lib.text_fields import FormLine

ONCE, DAILY, WEEKDAYS_ONLY, WEEKLY, MONTHLY, CUSTOM, UNCHANGED = (
    *("once", "daily", "workdays", "weekly", "monthly", "custom"),
    "rule",
)
REPEATS = (
    (ONCE, _("Once")),
    (DAILY, _("Daily")),
    (WEEKDAYS_ONLY, _("Monday to Friday")),
    (WEEKLY, _("Weekly, same weekday")),
    (MONTHLY, _("Monthly, same weekday")),
    (CUSTOM, _("Custom")),
)
SAME_DATE, LAST_DAY, NTH_WEEKDAY = "same", "last", "weekday"
MONTH_DAYS = ((SAME_DATE, _("on the same date")), (LAST_DAY, _("on the last day")), (NTH_WEEKDAY, _("on a weekday")))
NEVER, ON_DATE, AFTER_TIMES = "never", "date", "times"
ENDS = (
    (NEVER, pgettext_lazy("recurrence", "Never")),
    (ON_DATE, _("On a date")),
    (AFTER_TIMES, _("After a number of times")),
)
FIFTH = 5
MAX_RULE = 200
"""Characters of a rule; the columns that store one are as long."""


class RecurrenceForm(forms.Form):
    """`rule` is the iCalendar rule of what was chosen. Every field is optional, so that a request may omit them."""

    repeats = forms.ChoiceField(label=_("Repeats"), choices=REPEATS, required=False)
    every = forms.IntegerField(
        label=pgettext_lazy("recurrence", "Every"), min_value=1, max_value=MAX_EVERY, required=False
    )
    unit = forms.ChoiceField(label=pgettext_lazy("recurrence", "Unit"), choices=RepeatUnit, required=False)
    weekdays = forms.TypedMultipleChoiceField(
        label=pgettext_lazy("recurrence", "On"),
        choices=list(WEEKDAYS_ABBR.items()),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("No selection is the weekday of the first time."),
    )
    month_day = forms.ChoiceField(label=pgettext_lazy("recurrence", "Day"), choices=MONTH_DAYS, required=False)
    nth = forms.TypedChoiceField(
        label=pgettext_lazy("recurrence", "Which"), choices=list(NTHS.items()), coerce=int, required=False
    )
    weekday = forms.TypedChoiceField(label=_("Weekday"), choices=list(WEEKDAYS.items()), coerce=int, required=False)
    ends = forms.ChoiceField(label=pgettext_lazy("recurrence", "Ends"), choices=ENDS, required=False)
    last_on = forms.DateField(
        label=_("Last day"), required=False, widget=forms.DateInput(attrs=when("date"), format="%Y-%m-%d")
    )
    times = forms.IntegerField(
        label=pgettext_lazy("recurrence", "Times"), min_value=1, max_value=MAX_TIMES, required=False
    )
    rrule = FormLine(max_length=MAX_RULE, required=False, widget=forms.HiddenInput)
    """A rule that these fields cannot express; it stays as it is."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.unchanged_rule:
            field = self.fields["repeats"]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [*REPEATS, (UNCHANGED, _("As before"))]

    @property
    def unchanged_rule(self) -> str:
        return str(self["rrule"].value() or "")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        repeats = cleaned["repeats"] = cleaned.get("repeats") or ONCE
        if repeats not in (ONCE, UNCHANGED):
            self._check_end(cleaned)
        return cleaned

    def rule(self, starts_at: datetime) -> str:
        """The iCalendar rule of a validated form. Empty: it occurs once."""
        cleaned = self.cleaned_data
        if cleaned["repeats"] == UNCHANGED:
            return str(cleaned["rrule"])
        found = preset(cleaned["repeats"], starts_at.date(), **self._end)
        return (found or self._custom(starts_at.date())).rule if cleaned["repeats"] != ONCE else ""

    @property
    def _end(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return {
            "until": cleaned.get("last_on") if cleaned.get("ends") == ON_DATE else None,
            "times": cleaned.get("times") if cleaned.get("ends") == AFTER_TIMES else None,
        }

    def _custom(self, first_on: date) -> Repetition:
        cleaned = self.cleaned_data
        unit = RepeatUnit(cleaned.get("unit") or RepeatUnit.WEEK)
        days: dict[str, Any] = {}
        if unit is RepeatUnit.WEEK:
            days["weekdays"] = tuple(sorted(cleaned.get("weekdays") or (first_on.weekday(),)))
        if unit is RepeatUnit.MONTH and cleaned.get("month_day") == LAST_DAY:
            days["month_day"] = LAST
        if unit is RepeatUnit.MONTH and cleaned.get("month_day") == NTH_WEEKDAY:
            weekday = cleaned.get("weekday")
            days |= {
                "nth": cleaned.get("nth") or 1,
                "weekday": first_on.weekday() if weekday in (None, "") else weekday,
            }
        return Repetition(unit, cleaned.get("every") or 1, **days, **self._end)

    def _check_end(self, cleaned: dict[str, Any]) -> None:
        needed = {ON_DATE: ("last_on", gettext("Enter the last day."))}
        needed[AFTER_TIMES] = ("times", gettext("Enter how many times."))
        name, error = needed.get(cleaned.get("ends") or NEVER, ("", ""))
        if name and not cleaned.get(name) and name not in self.errors:
            self.add_error(name, error)


def preset(repeats: str, first_on: date, **end: Any) -> Repetition | None:
    """The repetition of a choice that needs no other fields; None for others."""
    weekday, week = first_on.weekday(), (first_on.day - 1) // len(DAYS) + 1
    days: dict[str, dict[str, Any]] = {
        DAILY: {"unit": RepeatUnit.DAY},
        WEEKDAYS_ONLY: {"unit": RepeatUnit.WEEK, "weekdays": WORKDAYS},
        WEEKLY: {"unit": RepeatUnit.WEEK, "weekdays": (weekday,)},
        MONTHLY: {"unit": RepeatUnit.MONTH, "nth": LAST if week == FIFTH else week, "weekday": weekday},
    }
    return Repetition(**days[repeats], **end) if repeats in days else None


def initial_of(rule: str, first_on: date) -> dict[str, Any]:
    """Initial values of the form for an existing rule."""
    if not rule:
        return {"repeats": ONCE}
    found = Repetition.of(rule)
    if found is None:
        return {"repeats": UNCHANGED, "rrule": rule}
    end = {"until": found.until, "times": found.times}
    repeats = next((name for name, _ in REPEATS if preset(name, first_on, **end) == found), CUSTOM)
    is_nth, is_last = found.nth is not None, found.month_day == LAST
    if found.month_day not in (None, LAST, first_on.day):
        return {"repeats": UNCHANGED, "rrule": rule}
    return {
        "repeats": repeats,
        "every": found.every,
        "unit": found.unit,
        "weekdays": found.weekdays,
        "month_day": NTH_WEEKDAY if is_nth else LAST_DAY if is_last else SAME_DATE,
        "nth": found.nth,
        "weekday": found.weekday,
        "ends": ON_DATE if found.until else AFTER_TIMES if found.times else NEVER,
        "last_on": found.until,
        "times": found.times,
    }
