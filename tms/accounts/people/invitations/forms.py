"""Forms to invite a person, and to accept an invitation."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.models import Role, User
from tms.accounts.people.forms import GrantForm
from tms.lib.forms import Plain
from tms.lib.text_fields import FormLine

MAX_GRANTS = 10


class InviteForm(Plain, forms.Form):
    """A new person by e-mail address, with their first grants."""

    email = forms.EmailField(label=_("E-mail"), max_length=150)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def __init__(self, data: QueryDict | None = None, *, by: User, is_longer: bool = False) -> None:
        super().__init__(data, initial={"language": get_language()}, auto_id="invite_%s")
        number = sum(f"grant-{n}-role" in data for n in range(MAX_GRANTS)) if data else 0
        count = min(max(1, number + is_longer), MAX_GRANTS)
        self.grants = [self._grant(data if n < number else None, n, by) for n in range(count)]
        self.fields["email"].widget.attrs["autocomplete"] = "off"
        self.dress()

    def _grant(self, data: QueryDict | None, n: int, by: User) -> GrantForm:
        return GrantForm(data, by=by, prefix=f"grant-{n}", empty_permitted=n > 0, use_required_attribute=False)

    def is_valid(self) -> bool:
        return all([super().is_valid(), *(form.is_valid() for form in self.grants)])

    @property
    def granted(self) -> list[tuple[Role, GrantScope]]:
        return [(form.cleaned_data["role"], form.found) for form in self.grants if form.cleaned_data.get("role")]

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if User.objects.is_taken(email):
            text = gettext("%(email)s has an account. If you don't see it, ask a colleague who manages all people.")
            raise ValidationError(text % {"email": email})
        return email


class AcceptForm(Plain, SetPasswordForm):  # type: ignore[type-arg]  # generic to the type checker only
    """Name and password of a person who was invited."""

    last_name = FormLine(label=_("Family name"), max_length=150)
    first_name = FormLine(label=_("Given name"), max_length=150)

    field_order = ("last_name", "first_name", "new_password1", "new_password2")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.order_fields(self.field_order)
        for name, label in (("new_password1", _("Password")), ("new_password2", _("Confirm password"))):
            self.fields[name].label, self.fields[name].help_text = label, ""
        self.fields["last_name"].widget.attrs |= {"autocomplete": "family-name", "autofocus": True}
        self.fields["first_name"].widget.attrs["autocomplete"] = "given-name"
        self.dress()

    def clean_last_name(self) -> str:
        """Set before the password is checked, which must not resemble the name."""
        name: str = self.cleaned_data["last_name"]
        self.user.last_name = name
        return name

    def clean_first_name(self) -> str:
        name: str = self.cleaned_data["first_name"]
        self.user.first_name = name
        return name
