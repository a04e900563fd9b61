"""Forms of rotations, their members and their overrides."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.forms import formset_factory
from django.http import QueryDict
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, choosable
from tms.accounts.access.owner_form import OwnedForm
from tms.accounts.display_names import colleagues, name_of
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.lib.calendar.local_time import instant
from tms.lib.calendar.time_zones import zone_choices
from tms.lib.forms import NONE, LocalDateTimeField, Plain, when
from tms.lib.forms.bases import BaseFormSet
from tms.notifications.models.rotation import Cover, Rotation
from tms.notifications.rotations import services
from tms.notifications.rotations.on_call import cover
from tms.notifications.rotations.services import MAX_MEMBERS


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]  # of User: it is generic to the type checker only
    """A person who can sign in."""

    def __init__(self, **options: Any) -> None:
        super().__init__(User.objects.none(), empty_label=NONE, **options)

    def offer(self, current: Collection[int] = (), *, to: Person) -> None:
        """The people that `to` sees, and those who are chosen already."""
        self.queryset = choosable(colleagues(), current, to=to).order_by("username")

    def label_from_instance(self, obj: User) -> str:
        return name_of(obj).text


class RotationForm(Plain, OwnedForm[Rotation]):
    permission = Permission.EDIT_ROTATIONS
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekly handover"),
        choices=list(WEEKDAYS.items()),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Instead of the shift length: an on-call shift lasts from one of these days to the next."),
    )

    class Meta:
        model = Rotation
        fields = services.EDITED
        widgets = {
            "starts_on": forms.DateInput(attrs=when("date"), format="%Y-%m-%d"),
            "handover_at": forms.TimeInput(attrs=when("time"), format="%H:%M"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = zone_choices(self.instance.time_zone)
        self.fields["time_zone"] = forms.ChoiceField(label=_("Time zone"), choices=zones)
        self.dress()

    def check(self) -> None:
        services.check(self.instance, None, by=self.by)


class MemberForm(Plain, forms.Form):
    person = PersonField(required=False)

    def __init__(self, *args: Any, by: Person, members: Collection[int], **kwargs: Any) -> None:
        """`members`: of the rotation as it is stored."""
        super().__init__(*args, **kwargs)
        _offer_people(self, members, to=by)
        self.dress()


class BaseMemberForms(BaseFormSet[MemberForm]):
    def clean(self) -> None:
        if not any(self.errors) and not self.people:
            raise forms.ValidationError(gettext("Choose at least one person; otherwise nobody is on call."))

    @property
    def people(self) -> list[User]:
        """The people in their order. The same person may appear several times."""
        chosen = (form.cleaned_data.get("person") for form in self.forms)
        return [person for person in chosen if person is not None]


MemberForms = formset_factory(
    MemberForm, formset=BaseMemberForms, extra=MAX_MEMBERS, max_num=MAX_MEMBERS, validate_max=True
)


class CoverForm(Plain, forms.Form):
    """Local times of the rotation's zone."""

    person = PersonField(label=_("Person"))
    since = LocalDateTimeField(label=_("From"))
    until = LocalDateTimeField(label=_("Until"))

    def __init__(self, rotation: Rotation, data: QueryDict | None = None, *, by: Person) -> None:
        super().__init__(data, prefix="cover")
        self.rotation = rotation
        _offer_people(self, to=by)
        self.dress()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until <= since:
            self.add_error("until", gettext("The end must be after the start."))
        return cleaned

    def save(self, *, by: User) -> Cover:
        zone = ZoneInfo(self.rotation.time_zone)
        since, until = (instant(self.cleaned_data[name], zone) for name in ("since", "until"))
        return cover(self.rotation, self.cleaned_data["person"], since=since, until=until, by=by)


def _offer_people(form: forms.Form, current: Collection[int] = (), *, to: Person) -> None:
    field = form.fields["person"]
    assert isinstance(field, PersonField)
    field.offer(current, to=to)


def initial_rotation(at: datetime) -> Rotation:
    """Initial values of a new form: shifts of a week from last Monday on, with a handover at nine."""
    today = at.date()
    return Rotation(starts_on=today.fromordinal(today.toordinal() - today.weekday()), handover_at="09:00")
