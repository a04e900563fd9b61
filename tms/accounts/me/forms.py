"""The sections of a person's own page. Each is a form that is saved by itself."""

import copy
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tms.accounts.me import preferences
from tms.accounts.models import Density, Theme, User
from tms.lib.calendar.time_zones import zone_choices
from tms.lib.forms import Plain
from tms.lib.forms.bases import ModelForm
from tms.lib.severity import Severity


class PageSection(Plain, ModelForm[User]):
    """Checks the fields on a copy, so that the page around an invalid form shows the person as they are."""

    def __init__(self, person: User, data: Any = None) -> None:
        super().__init__(data, instance=copy.copy(person))
        self.dress()

    def store(self) -> None:
        preferences.store(self.instance, **self.values())

    def values(self) -> dict[str, Any]:
        return self.cleaned_data


class ProfileForm(PageSection):
    class Meta:
        model = User
        fields = ("last_name", "first_name")
        labels = {"last_name": _("Family name"), "first_name": _("Given name")}


class PreferencesForm(PageSection):
    theme = forms.ChoiceField(label=_("Theme"), choices=Theme, widget=forms.RadioSelect)
    density = forms.ChoiceField(label=_("Density"), choices=Density, widget=forms.RadioSelect)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    class Meta:
        model = User
        fields = ("theme", "density", "time_zone")

    def __init__(self, person: User, data: Any = None) -> None:
        super().__init__(person, data)
        choices = [("", _("Browser time zone")), *zone_choices(person.time_zone)]
        self.fields["time_zone"].choices = choices  # type: ignore[attr-defined]  # django-stubs: Field
        self.fields["time_zone"].error_messages["invalid_choice"] = _(
            "Unknown time zone. Choose one of the list, such as Asia/Tokyo."
        )


class SoundsForm(PageSection):
    critical = forms.BooleanField(label=_("Sound for critical alerts"), required=False)
    warning = forms.BooleanField(label=_("Sound for warnings"), required=False)
    info = forms.BooleanField(label=_("Sound for info"), required=False)

    class Meta:
        model = User
        fields = ()

    def __init__(self, person: User, data: Any = None) -> None:
        super().__init__(person, data)
        chosen = preferences.DEFAULT_SOUNDS if person.sounds is None else person.sounds
        self.initial.update({severity.value: severity.value in chosen for severity in Severity})

    def values(self) -> dict[str, Any]:
        return {"sounds": [severity.value for severity in Severity if self.cleaned_data[severity.value]]}


class ShortcutsForm(PageSection):
    class Meta:
        model = User
        fields = ("has_shortcuts",)


SECTIONS: Mapping[str, type[PageSection]] = {
    "profile": ProfileForm,
    "preferences": PreferencesForm,
    "sounds": SoundsForm,
    "shortcuts": ShortcutsForm,
}
