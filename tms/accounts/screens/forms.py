"""Forms to pair and to configure wall screens."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts import access
from tms.accounts.access import grant_scopes
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.models import Theme, User, WallBoard, WallScreen
from tms.accounts.screens.services import PERMISSION
from tms.lib.calendar.time_zones import zone_choices
from tms.lib.forms import Plain
from tms.lib.forms.bases import ModelForm
from tms.lib.severity import Severity
from tms.lib.text_fields import FormLine

EVERY_S = (10, 15, 20, 30, 60)


class PairingCodeForm(Plain, forms.Form):
    code = FormLine(label=_("Code on the screen"), max_length=20)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs.update(
            {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "placeholder": "XXXX-XXXX"}
        )
        self.dress()


class ScreenForm(Plain, ModelForm[WallScreen]):
    """What a wall screen shows, within what the person may give."""

    scope = forms.ChoiceField(label=pgettext_lazy("of a grant", "Scope"))
    boards = forms.MultipleChoiceField(label=_("Rotate boards"), choices=WallBoard, widget=forms.CheckboxSelectMultiple)
    every_s = forms.TypedChoiceField(label=_("Show each for"), coerce=int)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    theme = forms.ChoiceField(label=_("Theme"), choices=Theme)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)
    sounds = forms.MultipleChoiceField(
        label=_("Sound for new alerts"), choices=Severity, required=False, widget=forms.CheckboxSelectMultiple
    )
    found: GrantScope

    class Meta:
        model = WallScreen
        fields = ("name", "scope", "boards", "every_s", "language", "theme", "time_zone", "sounds")

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **{"instance": WallScreen(), **kwargs})
        self.by = by
        screen = self.instance
        current = GrantScope(screen.region, screen.site, screen.group) if screen.pk else None
        offered = grant_scopes.choices(access.scope_of(by, PERMISSION))
        self._choose("scope", offered)
        seconds = [
            (each, ngettext("%(number)d second", "%(number)d seconds", each) % {"number": each}) for each in EVERY_S
        ]
        self._choose("every_s", seconds)
        self._choose("time_zone", [("", _("As on the television")), *zone_choices(screen.time_zone)])
        if current is None:
            self.initial.update(boards=[WallBoard.OVERVIEW], sounds=[Severity.CRITICAL], language=get_language())
        else:
            self.initial["scope"] = current.key
        self.fields["name"].widget.attrs["placeholder"] = gettext("NOC Tokyo, left")
        self.dress()

    def _choose(self, name: str, choices: Any) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean_scope(self) -> str:
        key: str = self.cleaned_data["scope"]
        found = grant_scopes.parse(key)
        if found is None:
            raise ValidationError(gettext("This scope no longer exists. Choose another one."))
        if not access.may_within(self.by, PERMISSION, found.value):
            raise ValidationError(gettext("You may show on a screen only what you see yourself. Choose another scope."))
        self.found = found
        return key

    def screen(self) -> WallScreen:
        """The screen as the form describes it, not saved."""
        for name, value in self.found.columns.items():
            setattr(self.instance, name, value)
        return self.instance
