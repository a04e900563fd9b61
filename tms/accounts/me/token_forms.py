"""Forms for one's own API tokens."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tms.accounts import api_tokens
from tms.accounts.models import OF_PEOPLE, ApiToken, TokenScope, User
from tms.lib.forms import Plain
from tms.lib.forms.bases import ModelForm

DAYS = (7, 30, 90, 180, 365)
DEFAULT_DAYS = 90
OVERLAPS = {
    0: _("none: end it now"),
    3_600: _("1 hour"),
    86_400: _("1 day"),
    604_800: _("7 days"),
    2_592_000: _("30 days"),
}
"""Lifetimes of the old secret after a rotation, in seconds."""
DEFAULT_OVERLAP_S = 86_400


class TokenForm(Plain, ModelForm[ApiToken]):
    """A token of one's own. It always expires: nobody else watches over it."""

    scope = forms.ChoiceField(
        label=_("Scope"),
        choices=[(scope.value, scope.label) for scope in OF_PEOPLE],
        widget=forms.RadioSelect,
        initial=TokenScope.READ,
    )
    days = forms.TypedChoiceField(
        label=_("Valid for"),
        coerce=int,
        choices=lambda: [(days, ngettext("%d day", "%d days", days) % days) for days in DAYS],
        initial=DEFAULT_DAYS,
    )

    class Meta:
        model = ApiToken
        fields = ("name", "scope")

    def __init__(self, person: User, data: Any = None) -> None:
        super().__init__(data)
        self.person = person
        self.dress()

    def clean(self) -> dict[str, Any]:
        if ApiToken.objects.valid(timezone.now()).filter(person=self.person).count() >= api_tokens.MAX_TOKENS:
            raise ValidationError(gettext("You already have %d tokens. Revoke one first.") % api_tokens.MAX_TOKENS)
        return self.cleaned_data

    def issue(self) -> tuple[ApiToken, str]:
        at, chosen = timezone.now(), self.cleaned_data
        expires_at = at + timedelta(days=chosen["days"])
        scope = TokenScope(chosen["scope"])
        return api_tokens.issue(self.person, name=chosen["name"], at=at, expires_at=expires_at, scope=scope)


class TokenRotationForm(Plain, forms.Form):
    overlap = forms.TypedChoiceField(
        label=_("The old secret stays valid for"),
        coerce=lambda seconds: timedelta(seconds=int(seconds)),
        choices=[*OVERLAPS.items()],
        initial=DEFAULT_OVERLAP_S,
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.dress()
