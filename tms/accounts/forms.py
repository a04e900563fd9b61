"""The form with which people change their own password."""

from typing import Any

from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from tms.accounts.models import User
from tms.accounts.sign_in.throttle import attempt


class PasswordForm(PasswordChangeForm):
    """Changes a person's own password. Checking the current one counts towards the sign-in limits."""

    def __init__(self, user: User, data: Any = None, *, request: HttpRequest) -> None:
        super().__init__(user, data)
        self._request = request

    def clean_old_password(self) -> str:
        """Raises SignInThrottledError after too many failed attempts."""
        old: str = self.cleaned_data["old_password"]
        with attempt(self._request, self.user.get_username()) as tried:
            tried.is_accepted = self.user.check_password(old)
        if not tried.is_accepted:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old
