"""Forms of sites: what people set of one, its opening hours, and closing it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, time
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms import formset_factory
from django.http import QueryDict
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, may_within, visible
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING, Scope
from tms.fleet.models import DeviceState, OnHolidays, Region, Site
from tms.fleet.models.device import AFTER_REMOVAL
from tms.fleet.models.opening_hours import HOLIDAY, OpeningHours, SpecialDay
from tms.fleet.sites.services import SiteValues
from tms.fleet.sites.typed_hours import MAX_CHARACTERS, SAME, UnreadableHours, format_hours, normal, parse_hours
from tms.lib.calendar.opening_hours import OpenInterval, Spans
from tms.lib.calendar.public_holidays import check_calendar
from tms.lib.calendar.time_zones import zone_choices
from tms.lib.forms import Plain, when
from tms.lib.forms.bases import BaseFormSet
from tms.lib.text_fields import FormLine

CODE_TAKEN = _("Another site has this code.")
FREE_SPECIAL_DAYS = 3
MAX_SPECIAL_DAYS = 1_000
COMMENT_CHARACTERS = 200


class SiteForm(Plain, forms.Form):
    """A new site, or what people set of one. `by` may put it into the regions where they may change sites."""

    code = forms.SlugField(
        label=_("Code"), max_length=8, help_text=_("Short and unique, such as SJK. It begins the UIDs of terminals.")
    )
    name = FormLine(label=_("Name"), max_length=100)
    name_ja = FormLine(label=_("Japanese name"), max_length=100, required=False)
    region = forms.ChoiceField(label=_("Region"), required=False)
    address = FormLine(label=_("Address"), max_length=200, required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"))

    def __init__(self, data: QueryDict | None = None, *, by: Person, site: Site | None = None) -> None:
        super().__init__(data, initial=_values_of(site) if site else {"time_zone": settings.TIME_ZONE})
        self.by, self.site = by, site
        self._set_choices("region", list(self._regions()))
        self._set_choices("time_zone", zone_choices(site.time_zone if site else ""))
        self.fields["region"].error_messages["invalid_choice"] = gettext(
            "Choose a region in which you may change sites."
        )
        self.dress()

    def _set_choices(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def _regions(self) -> Iterator[tuple[str, str]]:
        """No region takes the permission for everything. A site stays where it is in any case."""
        current = self.site.region if self.site else None
        if current == "" or self._may(EVERYTHING):
            yield "", gettext("No region")
        for region in visible(Region.objects.order_by("name"), to=self.by):
            if region.name == current or self._may(Scope.of(region=region.name)):
                yield region.name, region.local_name

    def _may(self, scope: Scope) -> bool:
        return may_within(self.by, Permission.EDIT_SITES, scope)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"].upper()
        known = Site.objects.filter(code__iexact=code).first()
        if known is not None and known != self.site:
            raise ValidationError(CODE_TAKEN)
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # Without a choice, a form has no region, which is everything.
        if cleaned.get("region") == "" and "" not in dict(self._regions()):
            self.add_error("region", gettext("Choose a region in which you may change sites."))
        return cleaned

    @property
    def values(self) -> SiteValues:
        return SiteValues(**{name: self.cleaned_data[name] for name in SiteValues.__slots__})


def _values_of(site: Site) -> dict[str, str]:
    return {name: getattr(site, name) for name in SiteValues.__slots__}


class HoursField(FormLine):
    """The open intervals of a day, as text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": MAX_CHARACTERS, "required": False} | options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "autocomplete": "off", "spellcheck": "false"}


class HoursForm(Plain, forms.Form):
    """The week of a site, and its public holidays. A day without text is closed; a week without any is always open."""

    on_holidays = forms.ChoiceField(label=_("On public holidays"), choices=OnHolidays)
    holidays = HoursField(label=_("Hours on public holidays"))
    holiday_calendar = FormLine(
        label=_("Holiday calendar"),
        max_length=8,
        required=False,
        help_text=_("A country or region: JP, DE-BY, US-NY. Leave empty for none."),
    )

    def __init__(self, data: QueryDict | None = None, *, site: Site) -> None:
        super().__init__(data, initial=_hours_values(site))
        for day, name in WEEKDAYS.items():
            self.fields[f"day_{day}"] = HoursField(label=name)
        self.dress()

    @property
    def days(self) -> list[forms.BoundField]:
        return [self[f"day_{day}"] for day in WEEKDAYS]

    def clean_holiday_calendar(self) -> str:
        name: str = self.cleaned_data["holiday_calendar"]
        if name:
            check_calendar(name)
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.week = dict(self._week())
        self.at_holidays = self._hours_on_holidays()
        texts = [cleaned.get(f"day_{day}", "") for day in WEEKDAYS]
        if any(texts) and not any(self.week.values()) and not self.errors:
            text = gettext("No day has opening hours. Leave all days empty if the site never closes.")
            self.add_error("day_0", text)
        return cleaned

    def _week(self) -> Iterator[tuple[int, Spans]]:
        before: Spans = ()
        for day in WEEKDAYS:
            text = self.cleaned_data.get(f"day_{day}", "")
            if day and normal(text) in SAME:
                yield day, before
                continue
            before = self._parsed(f"day_{day}", text)
            yield day, before

    def _hours_on_holidays(self) -> Spans:
        """What is entered for public holidays is kept, also while it does not apply."""
        return self._parsed("holidays", self.cleaned_data.get("holidays", ""))

    def _parsed(self, name: str, text: str) -> Spans:
        if not text:
            return ()
        try:
            return parse_hours(text)
        except UnreadableHours as error:
            self.add_error(name, str(error))
            return ()

    def rows(self, site: Site) -> list[OpeningHours]:
        return [
            OpeningHours(site=site, weekday=day, opens_at=one.opens_at, closes_at=one.closes_at)
            for day, spans in {**self.week, HOLIDAY: self.at_holidays}.items()
            for one in spans
        ]


def _hours_values(site: Site) -> dict[str, str]:
    week: defaultdict[int, list[OpenInterval]] = defaultdict(list)
    for row in site.opening_hours.order_by("opens_at"):
        week[row.weekday].append(OpenInterval(row.opens_at, row.closes_at))
    at_holidays = week.pop(HOLIDAY, [])
    days = {f"day_{day}": format_hours(week[day]) if week[day] else "" for day in WEEKDAYS}
    return {
        **days,
        "on_holidays": site.on_holidays,
        "holidays": format_hours(at_holidays) if at_holidays else "",
        "holiday_calendar": site.holiday_calendar,
    }


class SpecialPeriod(NamedTuple):
    """What is special on a day, or on several."""

    first_on: date
    last_on: date | None
    note: str


class SpecialDayForm(Plain, forms.Form):
    """A day, or several, with other hours than those of the week. Without a first day the row is left out."""

    first_on = forms.DateField(
        label=_("First day"), required=False, widget=forms.DateInput(attrs=when("date"), format="%Y-%m-%d")
    )
    last_on = forms.DateField(
        label=_("Last day"), required=False, widget=forms.DateInput(attrs=when("date"), format="%Y-%m-%d")
    )
    hours = HoursField(label=_("Hours"))
    note = FormLine(label=_("Note"), max_length=100, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dress()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.spans: Spans = ()
        if not cleaned.get("first_on"):
            # Of a stored row, clearing the day is enough to remove it.
            is_begun = not self.initial and any(cleaned.get(name) for name in ("last_on", "hours", "note"))
            if is_begun and "first_on" not in self.errors:
                self.add_error("first_on", gettext("Enter the day, as 2026-12-31."))
            return cleaned
        try:
            self.spans = parse_hours(cleaned["hours"]) if cleaned.get("hours") else ()
        except UnreadableHours as error:
            self.add_error("hours", str(error))
        self._check_row(cleaned)
        return cleaned

    def _check_row(self, cleaned: Mapping[str, Any]) -> None:
        """What the rules of the model find wrong."""
        row = SpecialDay(first_on=cleaned["first_on"], last_on=cleaned.get("last_on"), note=cleaned.get("note", ""))
        try:
            row.full_clean(exclude=("site", *self.errors))
        except ValidationError as error:
            for field, messages in error.message_dict.items():
                self.add_error(field if field in self.fields else "last_on", messages)

    def rows(self, site: Site) -> Iterator[SpecialDay]:
        """A row for each interval; one without times for a day on which the site is closed."""
        if not self.cleaned_data.get("first_on"):
            return
        times: Iterable[tuple[time | None, time | None]] = self.spans or ((None, None),)
        for opens, closes in times:
            yield SpecialDay(
                site=site,
                first_on=self.cleaned_data["first_on"],
                last_on=self.cleaned_data.get("last_on"),
                opens_at=opens,
                closes_at=closes,
                note=self.cleaned_data.get("note", ""),
            )


def special_day_forms(data: Mapping[str, Any] | None, days: Iterable[SpecialDay]) -> BaseFormSet[SpecialDayForm]:
    """A form for each period, and free ones."""
    kind: Any = formset_factory(
        SpecialDayForm,
        formset=BaseFormSet,
        extra=FREE_SPECIAL_DAYS,
        max_num=MAX_SPECIAL_DAYS,
        absolute_max=MAX_SPECIAL_DAYS,
    )
    found: BaseFormSet[SpecialDayForm] = kind(data, initial=list(_periods(days)), prefix="special")
    return found


def _periods(days: Iterable[SpecialDay]) -> Iterator[dict[str, Any]]:
    found: dict[SpecialPeriod, list[OpenInterval]] = {}
    for day in days:
        spans = found.setdefault(SpecialPeriod(day.first_on, day.last_on, day.note), [])
        if day.opens_at is not None and day.closes_at is not None:
            spans.append(OpenInterval(day.opens_at, day.closes_at))
    for period, spans in found.items():
        yield {**period._asdict(), "hours": format_hours(spans)}


class CloseForm(Plain, forms.Form):
    """Closing a site for good: what becomes of the devices, and its code as the confirmation."""

    device_becomes = forms.ChoiceField(
        label=_("Its devices become"), choices=[(state.value, state.label) for state in AFTER_REMOVAL]
    )
    comment = FormLine(label=_("Reason, kept in the audit trail"), max_length=COMMENT_CHARACTERS, required=False)
    typed = FormLine(label=_("Code of the site"), max_length=8)

    def __init__(self, *args: Any, site: Site, **options: Any) -> None:
        super().__init__(*args, **options)
        self.site = site
        self.fields["typed"].label = gettext("Type %(code)s to close the site") % {"code": site.code}
        self.fields["typed"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        self.dress()

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if typed.casefold() != self.site.code.casefold():
            raise ValidationError(gettext("Type %(code)s to confirm.") % {"code": self.site.code})
        return typed

    @property
    def state(self) -> DeviceState:
        return DeviceState(self.cleaned_data["device_becomes"])


class ReopenForm(Plain, forms.Form):
    comment = FormLine(label=_("Reason, kept in the audit trail"), max_length=COMMENT_CHARACTERS, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dress()
