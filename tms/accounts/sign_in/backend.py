"""The authentication backend for passwords."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from tms.accounts.models import User
from tms.accounts.sign_in.throttle import attempt


class ThrottledBackend(ModelBackend):
    """Django's own backend behind the throttle, which every call of `authenticate` passes.

    Raises SignInThrottledError or HashingBusyError, which `RefusalMiddleware` converts to a response.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is None or password is None:
            return None
        with attempt(request, username) as tried:
            person = super().authenticate(request, username=username, password=password, **kwargs)
            tried.is_accepted = person is not None
        return person
