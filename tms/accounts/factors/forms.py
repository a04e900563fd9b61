"""Forms to sign in with a second factor, and to add one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.factors import codes, passkeys, totp
from tms.accounts.models import User
from tms.accounts.sign_in.throttle import attempt
from tms.lib.text_fields import FormLine


class CodeForm(forms.Form):
    """A code of the person's authenticator app, or one of their recovery codes."""

    code = forms.CharField(label=_("Code"), max_length=codes.MAX_CHARACTERS)
    factor: Authenticator

    def __init__(self, request: HttpRequest, person: User, *, at: datetime) -> None:
        super().__init__(request.POST if request.method == "POST" else None)
        self._request, self._person, self._at = request, person, at

    def clean_code(self) -> str:
        """Raises SignInThrottledError after too many wrong codes."""
        code: str = self.cleaned_data["code"]
        factor = codes.accept_from(self._request, self._person, code, at=self._at)
        if factor is None:
            raise ValidationError(gettext("Wrong code, or a code that was used before. Wait for the next one."))
        self.factor = factor
        return code


class PasskeyForm(forms.Form):
    """What the browser signed with one of the person's passkeys."""

    credential = forms.CharField(max_length=passkeys.MAX_BYTES)
    factor: Authenticator

    def __init__(self, request: HttpRequest, person: User) -> None:
        super().__init__(request.POST)
        self._person = person

    def clean_credential(self) -> str:
        credential: str = self.cleaned_data["credential"]
        self.factor = passkeys.verify(credential, person=self._person)
        return credential


class NewPasskeyForm(forms.Form):
    """The passkey that the browser made, and the name by which the person recognises it."""

    name = FormLine(label=_("Name"), max_length=passkeys.NAME_LENGTH, required=False)
    credential = forms.CharField(max_length=passkeys.MAX_BYTES)
    made: dict[str, Any]

    def __init__(self, data: Mapping[str, Any] | None, person: User) -> None:
        super().__init__(data)
        self._person = person

    def clean_name(self) -> str:
        return self.cleaned_data["name"] or gettext("My passkey")

    def clean_credential(self) -> str:
        credential: str = self.cleaned_data["credential"]
        self.made = passkeys.register(credential, person=self._person)
        return credential


class AppForm(forms.Form):
    """The first code of a new authenticator app proves that it has the secret."""

    code = forms.CharField(label=_("Code"), max_length=codes.MAX_CHARACTERS)
    step: int

    def __init__(self, data: Mapping[str, Any] | None, *, secret: str, at: datetime) -> None:
        super().__init__(data)
        self._secret, self._at = secret, at

    def clean_code(self) -> str:
        code = "".join(self.cleaned_data["code"].split())
        step = totp.step_of(self._secret, code, at=self._at)
        if step is None:
            raise ValidationError(gettext("Wrong code. Enter the one that the app shows now, and check its clock."))
        self.step = step
        return code


class ConfirmPasswordForm(forms.Form):
    """Counts towards the sign-in limits."""

    password = forms.CharField(label=_("Password"), strip=False, max_length=4096)

    def __init__(self, request: HttpRequest, person: User) -> None:
        super().__init__(request.POST if request.method == "POST" else None)
        self._request, self._person = request, person

    def clean_password(self) -> str:
        """Raises SignInThrottledError after too many failed attempts."""
        password: str = self.cleaned_data["password"]
        with attempt(self._request, self._person.get_username()) as tried:
            tried.is_accepted = self._person.check_password(password)
        if not tried.is_accepted:
            raise ValidationError(gettext("Wrong password."))
        return password
